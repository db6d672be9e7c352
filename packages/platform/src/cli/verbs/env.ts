import type { Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";

interface Form {
  readonly set: (name: string, value: string) => string;
  readonly unset: (name: string) => string;
}

const FORMS: Readonly<Record<string, Form>> = {
  sh: { set: (name, value) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`, unset: (name) => `unset ${name}` },
  fish: {
    set: (name, value) => `set -gx ${name} '${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`,
    unset: (name) => `set -e ${name}`,
  },
  powershell: {
    set: (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
    unset: (name) => `Remove-Item -ErrorAction SilentlyContinue Env:${name}`,
  },
};

/** What a shell that worked with AWS may still have, and what would go before, or be sent along with, the key printed here. */
const LEFT_OVER = ["AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"];

/** `lambent env`: AWS tools of this shell speak to Lambent then. */
export const run: Run<{ readonly shell?: string }> = ({ output, client }, _args, options) => {
  const { endpoint, region, key } = client().connection;
  const values: Readonly<Record<string, string>> = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    ...(key.sessionToken ? { AWS_SESSION_TOKEN: key.sessionToken } : {}),
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    LAMBENT_ENDPOINT: endpoint,
  };
  if (output.json) return output.data(values);
  const shell = options.shell ?? "sh";
  const form = Object.hasOwn(FORMS, shell) ? FORMS[shell] : undefined;
  if (!form)
    throw new CommandFailure(
      "usage",
      `--shell is ${JSON.stringify(shell)}; it has to be one of ${Object.keys(FORMS).join(", ")}.`,
      'eval "$(lambent env)"',
    );
  for (const [name, value] of Object.entries(values)) output.line(form.set(name, value));
  for (const name of LEFT_OVER) if (!Object.hasOwn(values, name)) output.line(form.unset(name));
};
