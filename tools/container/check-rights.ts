import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Cases } from "../cases.ts";
import type { OpenImage } from "./image-store.ts";
import type { Container } from "./start-container.ts";

/** Folders that a program might write to, and one that it may. */
const folders = "/ /app /app/cache /app/dist /tmp /var/tmp /usr/local/bin /etc /home /run /var/lib";
const writableFolder = "/dev/shm";

/** Checks that a container has no more rights than `docker run --cap-drop ALL --read-only` gives, for this user. */
export async function checkRights(cases: Cases, container: Container, image: OpenImage, user: string) {
  const [uid, gid] = user.split(":");
  const status = new Map(
    container
      .proc("status")
      .split("\n")
      .map((line) => line.split(":\t") as [string, string]),
  );
  cases.equal("user and group", [status.get("Uid"), status.get("Gid")], [times4(uid), times4(gid)]);
  const accounts = readFileSync(join(image.root, "etc/passwd"), "utf8");
  cases.check("no account has that number", !accounts.includes(`:${uid}:`), `uid ${uid}`);
  for (const name of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
    cases.equal(`no capabilities: ${name}`, status.get(name), "0".repeat(16));
  }
  cases.equal("no new privileges", status.get("NoNewPrivs"), "1");
  const devices = container.proc("net/dev").match(/^ *\w+(?=:)/gm) ?? [];
  cases.equal(
    "network: loopback alone",
    devices.map((name) => name.trim()),
    ["lo"],
  );

  const rootMount = container.proc("mountinfo").match(/^\S+ \S+ \S+ \S+ \/ (\S+)/m)?.[1] ?? "";
  cases.check("the root file system is mounted read-only", rootMount.split(",").includes("ro"), rootMount);
  const write = `for folder in ${folders} ${writableFolder}; do (echo x > $folder/x) && echo written: $folder; done; true`;
  const { output } = await container.exec("sh", "-c", write);
  const written = output.split("\n").filter((line) => line.startsWith("written: "));
  cases.equal("nothing can be written but shared memory", written, [`written: ${writableFolder}`]);
  const refusals = output.match(/Read-only file system/g)?.length;
  cases.equal("since the file system is read-only", refusals, folders.split(" ").length);
}

const times4 = (id: string | undefined) => Array.from({ length: 4 }, () => id).join("\t");
