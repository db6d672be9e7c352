import { oneOf } from "../choices.ts";
import type { Run } from "../command.ts";
import { VERBS, type VerbSpec } from "../verbs.ts";

const COMMON = ["--json", "--help"];
const REMOTE = ["--endpoint", "--region"];

/** `lambent completion <shell>`: verbs, verbs below verbs, and options, from the same table the command is built of. */
export const run: Run<object> = ({ output }, [shell = ""]) => {
  const kind = oneOf(shell, "The shell", ["bash", "zsh", "fish"], (choice) => `lambent completion ${choice}`);
  output.line(kind === "fish" ? fish() : kind === "zsh" ? `autoload -U +X bashcompinit && bashcompinit\n${bash()}` : bash());
};

const word = (spec: VerbSpec): string => spec.usage.split(" ")[0] ?? "";
const top = (): VerbSpec[] => VERBS.filter((spec) => !spec.under);
const below = (verb: string): string[] => VERBS.filter((spec) => spec.under === verb).map(word);

function optionsOf(spec: VerbSpec): string[] {
  const own = spec.options.flatMap(({ flags }) => /--[a-z-]+/u.exec(flags) ?? []);
  return [...own, ...(spec.local ? [] : REMOTE), ...COMMON];
}

function bash(): string {
  const cases = top().map((spec) => {
    const verb = word(spec);
    const nested = below(verb);
    const options = [...optionsOf(spec), ...VERBS.filter((each) => each.under === verb).flatMap(optionsOf)];
    return `    ${verb}) words="${[...nested, ...new Set(options)].join(" ")}" ;;`;
  });
  return `_lambent() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words
  case "\${COMP_CWORD}:\${COMP_WORDS[1]}" in
    1:*) COMPREPLY=($(compgen -W "${top().map(word).join(" ")}" -- "$word")); return ;;
  esac
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -f -W "$words" -- "$word"))
}
complete -o default -F _lambent lambent`;
}

function fish(): string {
  const verbs = top().map(
    (spec) => `complete -c lambent -n __fish_use_subcommand -a ${word(spec)} -d '${spec.description.replaceAll("'", "")}'`,
  );
  const options = VERBS.flatMap((spec) =>
    optionsOf(spec).map(
      (option) => `complete -c lambent -n '__fish_seen_subcommand_from ${spec.under ?? word(spec)}' -l ${option.slice(2)}`,
    ),
  );
  return [...verbs, ...new Set(options)].join("\n");
}
