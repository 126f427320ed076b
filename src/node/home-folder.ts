import { homedir } from "node:os";

/**
 * The user's home folder. A user of a container may have a number and nothing else: where neither HOME nor the system
 * knows a home, it is `/`, as Docker has it.
 */
export function homeFolder(): string {
  try {
    return homedir() || "/";
  } catch {
    // The system's list of users lacks this one.
    return "/";
  }
}
