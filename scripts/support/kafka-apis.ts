/** The tables of docs/kafka.md: which APIs are answered in which versions, and which configurations topics have. */
import { SUPPORTED_APIS } from "../../packages/platform/src/gateway/kafka/protocol/index.ts";
import { TOPIC_CONFIG_NAMES } from "../../packages/platform/src/gateway/kafka/topic-configs.ts";

/** Every API that is answered, by subject. */
export function kafkaApiTable(): string {
  const rows = Object.entries(SUPPORTED_APIS).flatMap(([subject, apis]) =>
    apis.map(
      ({ name, key, versions: [min, max] }, index) =>
        `| ${index === 0 ? subject : ""} | ${name} | ${key} | ${min === max ? min : `${min}–${max}`} |`,
    ),
  );
  return ["| | API | key | versions |", "|---|---|---|---|", ...rows].join("\n");
}

/** Every configuration of topics: those that act, and those that are kept and told back. */
export function kafkaConfigTable(): string {
  const list = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(", ");
  const rows = [
    `| act | ${list(TOPIC_CONFIG_NAMES.acting)} |`,
    `| kept and told back, without effect | ${list(TOPIC_CONFIG_NAMES.kept)} |`,
  ];
  return ["| | configurations |", "|---|---|", ...rows].join("\n");
}
