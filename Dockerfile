# Portico: Node, the compiled program, the wasm in use, and in the default target one converted, hash-checked model.
# With it nothing is fetched when it runs.
#
#   docker build -t portico .
#   docker run -p 52001:52001 -e OP_ENDPOINT=ADDRESS:52001 --cap-drop ALL --read-only portico
#
#   --target slim                            without the model, which comes in by a mounted folder
#   --build-arg MODEL=vgg19                  another model of models/ than ResNet50
# For builds behind a proxy, a mirror or without a network:
#   --secret id=npmrc,src=$HOME/.npmrc       npm's own configuration
#   --secret id=ca,src=CERTIFICATES.pem      certificates to trust beside the usual ones
#   --build-context weights=FOLDER           a folder with the weights' tarball, as `npm pack` names it, or .h5 file
#
# docs/container.md tells all of it. A build with buildah needs --format docker, or HEALTHCHECK is lost.
ARG BASE_IMAGE=docker.io/library/debian:trixie-20260918-slim@sha256:a99cfc517144bc59b1978475ec53b46ecabec7e43635402ee5b77cc54cd1b20a
# Nothing of this one is in the image. One that has npm saves half of the time.
ARG BUILD_IMAGE=${BASE_IMAGE}

# Stands for the folder above where none is given.
FROM scratch AS weights

FROM ${BUILD_IMAGE} AS build
# npm only brings the dependencies, as package-lock.json has them; among them is the Node that builds and runs everything.
RUN command -v npm \
 || (apt-get update && apt-get install -y --no-install-recommends ca-certificates npm)
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY tools/node tools/node
RUN --mount=type=cache,target=/root/.npm \
    --mount=type=secret,id=npmrc,target=/root/.npmrc \
    --mount=type=secret,id=ca,target=/run/secrets/ca \
    if [ -e /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi \
 && npm ci \
 && cp node_modules/node-linux-*/bin/node /usr/local/bin/node \
 && mkdir -p /usr/local/share/doc/node \
 && cp node_modules/node-linux-*/LICENSE node_modules/node-linux-*/package.json /usr/local/share/doc/node/
COPY . .
# What is left out is never read: what pages of others use (the own page is in dist/page), maps, type declarations, tests, the
# encoder of WebP, and all builds of h5wasm and of onnxruntime-web but one.
RUN npm run build \
 && npm pack --ignore-scripts --silent \
 && mkdir /app \
 && tar -xzf portico-*.tgz --strip-components=1 -C /app \
 && rm -r /app/dist/browser /app/dist/web \
 && npm prune --omit=dev --ignore-scripts \
 && find node_modules/onnxruntime-web -type f \
      ! -name package.json ! -name README.md ! -name ort.node.min.mjs \
      ! -name ort-wasm-simd-threaded.mjs ! -name ort-wasm-simd-threaded.wasm -delete \
 && find node_modules /app/dist -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
 && find node_modules/@jsquash/webp -type d -name enc -prune -exec rm -r {} + \
 && rm -r node_modules/bintrees/test node_modules/h5wasm/test node_modules/h5wasm/dist/iife node_modules/h5wasm/dist/node \
 && mv node_modules /app/node_modules

FROM ${BASE_IMAGE} AS runtime
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /usr/local/share/doc/node /usr/local/share/doc/node
COPY --from=build /app /app
# For `docker exec CONTAINER portico doctor`, and what messages say to type.
RUN ln -s /app/dist/cli/portico.js /usr/local/bin/portico
WORKDIR /app
# Without -e OP_ENDPOINT it listens where Phantoscope dials: on port 80.
ENV NODE_ENV=production HOME=/tmp OP_ENDPOINT=127.0.0.1:80
# No account of the system has this number; nothing under /app is its to write.
USER 65532:65532
EXPOSE 80 52001
ENTRYPOINT ["node", "dist/cli/portico.js", "serve"]
# Healthy is ready: a picture has got its right vector. It looks where the server listens, whatever its flags say.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["node", "dist/cli/healthcheck.js"]
ARG BASE_IMAGE
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="portico" \
      org.opencontainers.image.description="A portable image-embedding operator: image in, the vector that Keras gives out, over gRPC, gRPC-Web and Connect." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"

FROM runtime AS model
USER 0
ARG MODEL=resnet50
# Checks the hash of the weights and, where it is known, of the model made of them, whichever way they came.
RUN --mount=type=bind,from=weights,target=/run/weights \
    --mount=type=cache,target=/root/.npm \
    --mount=type=secret,id=npmrc,target=/root/.npmrc \
    --mount=type=secret,id=ca,target=/run/secrets/ca \
    weights=$(find /run/weights -name '*.tgz' -o -name '*.h5' | head -n 1) \
 && if [ -e /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi \
 && HOME=/root node dist/cli/portico.js prepare "${MODEL}" --cache /cache ${weights:+--from "$weights"} \
 && rm -rf /cache/downloads

FROM runtime AS slim
# A prepared folder is mounted here, or an empty volume, which gets this owner and is then filled from the network.
USER 0
RUN install -d -o 65532 -g 65532 /cache
USER 65532:65532
ENV PORTICO_CACHE=/cache

FROM runtime
COPY --from=model /cache /app/cache
ARG MODEL=resnet50
ENV PORTICO_CACHE=/app/cache PORTICO_MODEL=${MODEL}
