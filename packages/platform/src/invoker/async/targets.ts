import type { AsynchronousSettings } from "../../functions/index.ts";
import type { NewItem } from "../../storage/index.ts";
import type { Condition } from "./decide.ts";
import { encodeOutcome, OUTCOME_BYTES_MAX, type InvocationOutcome } from "./outcome.ts";

/** What goes around an event and its answer in the form of a target. */
const OUTCOME_FORM_BYTES = 2_048;

export interface Told {
  /** Goes into the commit that settles the event. */
  readonly items: readonly NewItem[];
  /** The first one that is told. */
  readonly first: string | undefined;
  /** A target that would have to be told more than any takes. */
  readonly tooLarge: string | undefined;
}

/** Who is told how an event ended: AWS tells the destination, and of a failure the dead-letter queue as well. */
export function tell(settings: AsynchronousSettings, condition: Condition, outcome: Omit<InvocationOutcome, "form">): Told {
  const { eventInvoke, deadLetterArn } = settings;
  const success = condition === "Success";
  const destination = success ? eventInvoke?.onSuccess : eventInvoke?.onFailure;
  const targets: { readonly target: string; readonly form: InvocationOutcome["form"] }[] = [];
  if (destination !== undefined) targets.push({ target: destination, form: "destination" });
  if (!success && deadLetterArn !== undefined) targets.push({ target: deadLetterArn, form: "deadLetter" });
  const fitting = targets.filter(({ form }) => fits(form, outcome));
  return {
    items: fitting.map(({ target, form }) => ({ id: outcome.requestId, body: encodeOutcome({ ...outcome, form }), target })),
    first: fitting[0]?.target,
    tooLarge: targets.find((each) => !fitting.includes(each))?.target,
  };
}

function fits(form: InvocationOutcome["form"], { request, response }: Omit<InvocationOutcome, "form">): boolean {
  if (form === "deadLetter") return request.length <= OUTCOME_BYTES_MAX;
  return request.length + (response?.payload.length ?? 0) + OUTCOME_FORM_BYTES <= OUTCOME_BYTES_MAX;
}
