import { closeSync, readdirSync, readFileSync } from "node:fs";

/** `O_CLOEXEC`, as the octal flags of `/proc/self/fdinfo` write it. */
const CLOSE_ON_EXEC = 0o2000000;

/**
 * Closes descriptors that whoever started the platform left open and that every child would inherit, bubblewrap's
 * included (seen: a pipe of the starting shell inside the sandbox). Node's own are all close-on-exec; it marks
 * inherited ones only up to a low number. To run before instances are started.
 */
export function closeInheritedDescriptors(): void {
  for (const name of readdirSync("/proc/self/fd")) {
    const descriptor = Number(name);
    if (descriptor <= 2) continue;
    try {
      const info = readFileSync(`/proc/self/fdinfo/${name}`, "utf8");
      const flags = Number.parseInt(/^flags:\s+([0-7]+)$/m.exec(info)?.[1] ?? "2000000", 8);
      if ((flags & CLOSE_ON_EXEC) === 0) closeSync(descriptor);
    } catch {
      // The descriptor of the listing itself is gone by now.
    }
  }
}
