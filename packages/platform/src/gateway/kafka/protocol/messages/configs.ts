/** Configurations of topics and brokers. Members are named as the protocol's documentation names them. */
import { api, array, bool, int16, int32, int8, nullableArrayOf, nullableString, string } from "../api.ts";

export const describeConfigs = api({
  key: 32,
  name: "DescribeConfigs",
  versions: [0, 4],
  flexibleFrom: 4,
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configurationKeys: nullableArrayOf(string()),
    }),
    includeSynonyms: bool({ from: 1, otherwise: false }),
    includeDocumentation: bool({ from: 3, otherwise: false }),
  },
  response: {
    throttleTimeMs: int32({ otherwise: 0 }),
    results: array({
      errorCode: int16(),
      errorMessage: nullableString(),
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        value: nullableString(),
        readOnly: bool(),
        configSource: int8({ from: 1, otherwise: -1 }),
        isDefault: bool({ until: 0 }),
        isSensitive: bool(),
        synonyms: array(
          {
            name: string(),
            value: nullableString(),
            source: int8(),
          },
          { from: 1 },
        ),
        configType: int8({ from: 3, otherwise: 0 }),
        documentation: nullableString({ from: 3 }),
      }),
    }),
  },
});

export const alterConfigs = api({
  key: 33,
  name: "AlterConfigs",
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        value: nullableString(),
      }),
    }),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32({ otherwise: 0 }),
    responses: array({
      errorCode: int16(),
      errorMessage: nullableString(),
      resourceType: int8(),
      resourceName: string(),
    }),
  },
});

export const incrementalAlterConfigs = api({
  key: 44,
  name: "IncrementalAlterConfigs",
  versions: [0, 1],
  flexibleFrom: 1,
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        configOperation: int8(),
        value: nullableString(),
      }),
    }),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32({ otherwise: 0 }),
    responses: array({
      errorCode: int16(),
      errorMessage: nullableString(),
      resourceType: int8(),
      resourceName: string(),
    }),
  },
});
