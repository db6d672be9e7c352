import type { Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";

const FORMS: Readonly<Record<string, (name: string, value: string) => string>> = {
  sh: (name, value) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`,
  fish: (name, value) => `set -gx ${name} '${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`,
  powershell: (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
};

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
  for (const [name, value] of Object.entries(values)) output.line(form(name, value));
};
