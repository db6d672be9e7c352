import type {
  CreateEventBusRequest,
  CreateEventBusResponse,
  DeleteEventBusRequest,
  DescribeEventBusRequest,
  DescribeEventBusResponse,
  EventBus,
  ListEventBusesRequest,
  ListEventBusesResponse,
  PutPermissionRequest,
  RemovePermissionRequest,
  UpdateEventBusRequest,
  UpdateEventBusResponse,
} from "@aws-sdk/client-eventbridge";
import { LambentError } from "../../base/index.ts";
import { type Buses, busArn, type BusRecord, busNameOf } from "../../bus/index.ts";
import type { Realm } from "../../model/index.ts";
import { parsePolicy } from "../../security/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { paged } from "./paging.ts";
import { tagsOf } from "./tags.ts";

/** Characters of a bus's policy. @limit */
const BUS_POLICY_CHARS_MAX = 10_240;

interface Statement {
  readonly Sid?: string;
  readonly [member: string]: unknown;
}

/** Buses as such. @see EventBridge API reference */
export function busOperations(buses: Buses) {
  return {
    async CreateEventBus(input: CreateEventBusRequest, { realm }: RequestContext): Promise<CreateEventBusResponse> {
      refuseUnbuilt(input, ["EventSourceName", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig"]);
      const name = given(input.Name, "Name");
      const { description } = await buses.create(realm, { name, description: input.Description, tags: tagsOf(input.Tags) });
      return { EventBusArn: busArn(realm, name), Description: description };
    },

    async UpdateEventBus(input: UpdateEventBusRequest, { realm }: RequestContext): Promise<UpdateEventBusResponse> {
      refuseUnbuilt(input, ["KmsKeyIdentifier", "DeadLetterConfig", "LogConfig"]);
      const { name, description } = await buses.update(realm, busNameOf(input.Name, realm), (bus) => ({
        description: input.Description ?? bus.description,
      }));
      return { Arn: busArn(realm, name), Name: name, Description: description };
    },

    async DeleteEventBus(input: DeleteEventBusRequest, { realm }: RequestContext): Promise<void> {
      await buses.delete(realm, busNameOf(given(input.Name, "Name"), realm));
    },

    DescribeEventBus(input: DescribeEventBusRequest, { realm }: RequestContext): DescribeEventBusResponse {
      return shapeOf(realm, buses.get(realm, busNameOf(input.Name, realm)));
    },

    ListEventBuses(input: ListEventBusesRequest, { realm }: RequestContext): ListEventBusesResponse {
      const { page, next } = paged(buses.list(realm, input.NamePrefix ?? ""), ({ name }) => name, input);
      return { EventBuses: page.map((bus) => shapeOf(realm, bus)), NextToken: next };
    },

    async PutPermission(input: PutPermissionRequest, { realm }: RequestContext): Promise<void> {
      await buses.update(realm, busNameOf(input.EventBusName, realm), (bus) => ({ policy: policyWith(realm, bus, input) }));
    },

    async RemovePermission(input: RemovePermissionRequest, { realm }: RequestContext): Promise<void> {
      await buses.update(realm, busNameOf(input.EventBusName, realm), (bus) => ({ policy: policyWithout(bus, input) }));
    },
  };
}

function shapeOf(realm: Realm, { name, description, policy, createdAt, modifiedAt }: BusRecord): EventBus {
  return {
    Name: name,
    Arn: busArn(realm, name),
    Description: description,
    Policy: policy,
    // Nobody made the default bus.
    ...(createdAt === 0 ? {} : { CreationTime: new Date(createdAt) }),
    ...(modifiedAt === 0 ? {} : { LastModifiedTime: new Date(modifiedAt) }),
  };
}

/** A whole policy, or one statement more. */
function policyWith(realm: Realm, bus: BusRecord, input: PutPermissionRequest): string {
  const policy = input.Policy ?? JSON.stringify({ Version: "2012-10-17", Statement: statementsWith(realm, bus, input) });
  if (policy.length > BUS_POLICY_CHARS_MAX)
    throw new LambentError("PolicyTooLong", `The policy of a bus has at most ${BUS_POLICY_CHARS_MAX} characters.`);
  parsePolicy(policy, "resource");
  return policy;
}

function statementsWith(realm: Realm, bus: BusRecord, input: PutPermissionRequest): Statement[] {
  const { Action, Principal, StatementId, Condition } = input;
  if (Action === undefined || Principal === undefined || StatementId === undefined)
    throw new LambentError("InvalidParameter", "Action, Principal and StatementId are required where no Policy is given.");
  const statement: Statement = {
    Sid: StatementId,
    Effect: "Allow",
    Principal: Principal === "*" ? "*" : { AWS: `arn:aws:iam::${Principal}:root` },
    Action,
    Resource: busArn(realm, bus.name),
    ...(Condition
      ? { Condition: { [given(Condition.Type, "Condition.Type")]: { [given(Condition.Key, "Condition.Key")]: Condition.Value } } }
      : {}),
  };
  return [...statementsOf(bus).filter(({ Sid }) => Sid !== StatementId), statement];
}

function policyWithout(bus: BusRecord, { StatementId, RemoveAllPermissions }: RemovePermissionRequest): string | undefined {
  if (RemoveAllPermissions === true) return undefined;
  if (StatementId === undefined) throw new LambentError("InvalidParameter", "StatementId is required, or RemoveAllPermissions.");
  const kept = statementsOf(bus).filter(({ Sid }) => Sid !== StatementId);
  if (kept.length === statementsOf(bus).length) throw new LambentError("NotFound", `Statement with the provided id does not exist.`);
  return kept.length === 0 ? undefined : JSON.stringify({ Version: "2012-10-17", Statement: kept });
}

function statementsOf({ policy }: BusRecord): Statement[] {
  const { Statement: statements } = JSON.parse(policy ?? '{"Statement":[]}') as { readonly Statement?: Statement | Statement[] };
  return Array.isArray(statements) ? statements : statements ? [statements] : [];
}
