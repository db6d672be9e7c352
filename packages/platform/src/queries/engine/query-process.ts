/** The process of one query; it ends with it. Imports nothing but its own folder, so that it is there at once. */
import type { FromProcess, ToProcess } from "./messages.ts";
import { Session } from "./session.ts";

function main(): void {
  const tell = (message: FromProcess): void => void process.send?.(message);
  const session = new Session(tell);
  process.on("message", (message: ToProcess) => {
    try {
      session.take(message);
    } catch (error) {
      tell({
        kind: "refused",
        message: `The records could not be read into a table: ${error instanceof Error ? error.message : String(error)}.`,
      });
    }
  });
  // The server is gone, and with it whoever asked.
  process.once("disconnect", () => process.exit());
}

main();
