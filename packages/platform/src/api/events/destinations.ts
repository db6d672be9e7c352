import type {
  ApiDestination as ApiDestinationShape,
  ApiDestinationState,
  Connection as ConnectionShape,
  CreateApiDestinationRequest,
  CreateApiDestinationResponse,
  CreateConnectionRequest,
  CreateConnectionResponse,
  DeauthorizeConnectionRequest,
  DeauthorizeConnectionResponse,
  DeleteApiDestinationRequest,
  DeleteApiDestinationResponse,
  DeleteConnectionRequest,
  DeleteConnectionResponse,
  DescribeApiDestinationRequest,
  DescribeApiDestinationResponse,
  DescribeConnectionRequest,
  DescribeConnectionResponse,
  ListApiDestinationsRequest,
  ListApiDestinationsResponse,
  ListConnectionsRequest,
  ListConnectionsResponse,
  UpdateApiDestinationRequest,
  UpdateApiDestinationResponse,
  UpdateConnectionRequest,
  UpdateConnectionResponse,
} from "@aws-sdk/client-eventbridge";
import { type ApiDestination, type ApiDestinations, type Connection, type Connections, destinationArn } from "../../bus/index.ts";
import type { Realm } from "../../model/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import type { Permission } from "../service.ts";
import { authorizationDraft, authorizationTypeOf, authResponse, connectionStateName, parametersOf } from "./connection-shapes.ts";
import { paged } from "./paging.ts";

export interface DestinationParts {
  readonly connections: Connections;
  readonly apiDestinations: ApiDestinations;
}

const UNBUILT = ["InvocationConnectivityParameters", "KmsKeyIdentifier"];

/** Connections and API destinations. @see EventBridge API reference */
export function destinationOperations({ connections, apiDestinations }: DestinationParts) {
  return { ...connectionOperations(connections), ...apiDestinationOperations(apiDestinations, connections) };
}

/** What a call on a connection or an API destination needs leave for; undefined for every other operation. */
export function destinationPermission(
  { connections, apiDestinations }: DestinationParts,
  operation: string,
  input: Readonly<Record<string, unknown>>,
  { realm }: Pick<RequestContext, "realm">,
): Permission | undefined {
  const kind = /Connections?$/.test(operation) ? "connection" : /ApiDestinations?$/.test(operation) ? "api-destination" : undefined;
  if (kind === undefined) return undefined;
  const action = `events:${operation}`;
  const name = input["Name"];
  if (typeof name !== "string") return { action, resource: "*" };
  const known = (kind === "connection" ? connections : apiDestinations).list(realm, name).find((each) => each.name === name);
  return {
    action,
    resource: known ? destinationArn(kind, realm, known) : `arn:aws:events:${realm.region}:${realm.account}:${kind}/${name}`,
  };
}

function connectionOperations(connections: Connections) {
  return {
    async CreateConnection(input: CreateConnectionRequest, { realm }: RequestContext): Promise<CreateConnectionResponse> {
      refuseUnbuilt(input, UNBUILT);
      const parameters = given(input.AuthParameters, "AuthParameters");
      const type = given(input.AuthorizationType, "AuthorizationType");
      const connection = await connections.create(realm, given(input.Name, "Name"), {
        description: input.Description,
        authorization: given(authorizationDraft(type, parameters, undefined), "AuthParameters"),
        invocation: parameters.InvocationHttpParameters && parametersOf(parameters.InvocationHttpParameters),
      });
      return changed(realm, connection);
    },

    async UpdateConnection(input: UpdateConnectionRequest, { realm }: RequestContext): Promise<UpdateConnectionResponse> {
      refuseUnbuilt(input, UNBUILT);
      const name = given(input.Name, "Name");
      const { authorizes } = connections.get(realm, name);
      const { AuthParameters = {}, AuthorizationType = authorizationTypeOf(authorizes) } = input;
      const connection = await connections.update(realm, name, {
        description: input.Description,
        authorization: authorizationDraft(AuthorizationType, AuthParameters, authorizes),
        invocation: AuthParameters.InvocationHttpParameters && parametersOf(AuthParameters.InvocationHttpParameters),
      });
      return { ...changed(realm, connection), ...authorizedAt(connection) };
    },

    async DeauthorizeConnection(input: DeauthorizeConnectionRequest, { realm }: RequestContext): Promise<DeauthorizeConnectionResponse> {
      const connection = await connections.deauthorize(realm, given(input.Name, "Name"));
      return { ...changed(realm, connection), ...authorizedAt(connection) };
    },

    async DeleteConnection(input: DeleteConnectionRequest, { realm }: RequestContext): Promise<DeleteConnectionResponse> {
      const connection = await connections.remove(realm, given(input.Name, "Name"));
      return { ...changed(realm, connection), ...authorizedAt(connection), ConnectionState: "DELETING" };
    },

    DescribeConnection(input: DescribeConnectionRequest, { realm }: RequestContext): DescribeConnectionResponse {
      const connection = connections.get(realm, given(input.Name, "Name"));
      const content = connections.content(realm, connection);
      return {
        ...connectionShape(realm, connection),
        Description: connection.description,
        AuthParameters: content && authResponse(content),
      };
    },

    ListConnections(input: ListConnectionsRequest, { realm }: RequestContext): ListConnectionsResponse {
      const { NamePrefix = "", ConnectionState } = input;
      const found = connections
        .list(realm, NamePrefix)
        .filter(({ state }) => ConnectionState === undefined || connectionStateName(state) === ConnectionState);
      const { page, next } = paged(found, ({ name }) => name, input);
      return { Connections: page.map((each) => connectionShape(realm, each)), NextToken: next };
    },
  };
}

function apiDestinationOperations(apiDestinations: ApiDestinations, connections: Connections) {
  const state = (destination: ApiDestination): ApiDestinationState => stateOf(connections, destination);
  const answered = (realm: Realm, destination: ApiDestination) => ({
    ApiDestinationArn: destinationArn("api-destination", realm, destination),
    ApiDestinationState: state(destination),
    CreationTime: new Date(destination.createdAt),
    LastModifiedTime: new Date(destination.modifiedAt),
  });
  const shapeOf = (realm: Realm, destination: ApiDestination): ApiDestinationShape => ({
    ...answered(realm, destination),
    Name: destination.name,
    ConnectionArn: destination.connectionArn,
    InvocationEndpoint: destination.endpoint,
    HttpMethod: destination.method,
    InvocationRateLimitPerSecond: destination.invocationsPerSecond,
  });
  return {
    async CreateApiDestination(input: CreateApiDestinationRequest, { realm }: RequestContext): Promise<CreateApiDestinationResponse> {
      const destination = await apiDestinations.create(realm, given(input.Name, "Name"), {
        ...changeOf(input),
        connectionArn: given(input.ConnectionArn, "ConnectionArn"),
        endpoint: given(input.InvocationEndpoint, "InvocationEndpoint"),
        method: given(input.HttpMethod, "HttpMethod"),
      });
      return answered(realm, destination);
    },

    async UpdateApiDestination(input: UpdateApiDestinationRequest, { realm }: RequestContext): Promise<UpdateApiDestinationResponse> {
      return answered(realm, await apiDestinations.update(realm, given(input.Name, "Name"), changeOf(input)));
    },

    async DeleteApiDestination(input: DeleteApiDestinationRequest, { realm }: RequestContext): Promise<DeleteApiDestinationResponse> {
      await apiDestinations.remove(realm, given(input.Name, "Name"));
      return {};
    },

    DescribeApiDestination(input: DescribeApiDestinationRequest, { realm }: RequestContext): DescribeApiDestinationResponse {
      const destination = apiDestinations.get(realm, given(input.Name, "Name"));
      return { ...shapeOf(realm, destination), Description: destination.description };
    },

    ListApiDestinations(input: ListApiDestinationsRequest, { realm }: RequestContext): ListApiDestinationsResponse {
      const { NamePrefix = "", ConnectionArn } = input;
      const found = apiDestinations
        .list(realm, NamePrefix)
        .filter(({ connectionArn }) => ConnectionArn === undefined || connectionArn === ConnectionArn);
      const { page, next } = paged(found, ({ name }) => name, input);
      return { ApiDestinations: page.map((each) => shapeOf(realm, each)), NextToken: next };
    },
  };
}

/** One whose connection is gone or de-authorised cannot be called. */
function stateOf(connections: Connections, { connectionArn }: ApiDestination): ApiDestinationState {
  const state = connections.byArn(connectionArn)?.connection.state;
  return state === undefined || connectionStateName(state) === "DEAUTHORIZED" ? "INACTIVE" : "ACTIVE";
}

function changeOf(input: CreateApiDestinationRequest | UpdateApiDestinationRequest) {
  return {
    description: input.Description,
    connectionArn: input.ConnectionArn,
    endpoint: input.InvocationEndpoint,
    method: input.HttpMethod,
    invocationsPerSecond: input.InvocationRateLimitPerSecond,
  };
}

function changed(realm: Realm, connection: Connection) {
  return {
    ConnectionArn: destinationArn("connection", realm, connection),
    ConnectionState: connectionStateName(connection.state),
    CreationTime: new Date(connection.createdAt),
    LastModifiedTime: new Date(connection.modifiedAt),
  };
}

function authorizedAt({ authorizedAt: at }: Connection) {
  return at === undefined ? {} : { LastAuthorizedTime: new Date(at) };
}

function connectionShape(realm: Realm, connection: Connection): ConnectionShape {
  const { name, state, authorizes } = connection;
  return {
    ...changed(realm, connection),
    ...authorizedAt(connection),
    Name: name,
    AuthorizationType: authorizationTypeOf(authorizes),
    ...(state.kind === "refused" ? { StateReason: state.reason } : {}),
  };
}
