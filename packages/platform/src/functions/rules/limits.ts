/** The bounds users meet when they manage functions; docs/specification.md shows the same numbers. */

/** A zip handed over in the request itself. */
export const CODE_ZIP_BYTES_MAX = 52_428_800;
/** A function's code and its layers together, unpacked. */
export const CODE_UNPACKED_BYTES_MAX = 262_144_000;
/** All zips of one realm, versions and layers included. */
export const CODE_STORAGE_BYTES_MAX = 80_530_636_800;
/** Files, links and directories that one zip names. */
export const CODE_ENTRIES_MAX = 50_000;
/** A whole path inside a zip, UTF-8. */
export const CODE_PATH_BYTES_MAX = 1_024;
/** One component of such a path: what Linux file systems take. */
export const CODE_NAME_BYTES_MAX = 255;
/** Components of a path inside a zip. */
export const CODE_PATH_DEPTH_MAX = 64;
/** What a symbolic link may point to, UTF-8. */
export const CODE_LINK_BYTES_MAX = 1_024;
/** Unpacked bytes for each byte of zip, above `CODE_RATIO_FREE_BYTES`: real packages stay far below it. */
export const CODE_RATIO_MAX = 200;
/** Unpacked bytes that no ratio is asked of, so that a small file of zeros passes. */
export const CODE_RATIO_FREE_BYTES = 10_485_760;

/** Least memory of a function, in MB; also the default. */
export const MEMORY_MB_MIN = 128;
/** Most memory of a function, in MB. */
export const MEMORY_MB_MAX = 10_240;
/** Shortest time limit of a call. */
export const TIMEOUT_MS_MIN = 1_000;
/** Longest time limit of a call. */
export const TIMEOUT_MS_MAX = 900_000;
/** Least size of a function's `/tmp`, in MB; also the default. */
export const TMP_MB_MIN = 512;
/** Largest size of a function's `/tmp`, in MB. */
export const TMP_MB_MAX = 10_240;
/** The variables as JSON, UTF-8. */
export const ENVIRONMENT_BYTES_MAX = 4_096;
/** Characters of a handler. */
export const HANDLER_LENGTH_MAX = 128;
/** Characters of a description of a function, version or layer. */
export const DESCRIPTION_LENGTH_MAX = 256;
/** Layers of one function. */
export const LAYERS_PER_FUNCTION_MAX = 5;

/** Characters of a function's name. */
export const FUNCTION_NAME_LENGTH_MAX = 64;
/** Characters of an alias's name. */
export const ALIAS_NAME_LENGTH_MAX = 128;
/** Characters of a layer's name. */
export const LAYER_NAME_LENGTH_MAX = 64;
/** Characters of a statement's id in a resource policy. */
export const STATEMENT_ID_LENGTH_MAX = 100;
/** A resource policy as JSON, UTF-8. */
export const RESOURCE_POLICY_BYTES_MAX = 20_480;

/** Tags of one function. */
export const TAGS_MAX = 50;
/** Characters of a tag's key. */
export const TAG_KEY_LENGTH_MAX = 128;
/** Characters of a tag's value. */
export const TAG_VALUE_LENGTH_MAX = 256;

/** Calls of one account running at once in one region. */
export const ACCOUNT_CONCURRENCY = 1_000;
/** What reservations always leave to functions without one. */
export const UNRESERVED_CONCURRENCY_MIN = 100;
/** `lambent:concurrency`: calls one instance takes at once. */
export const INSTANCE_CONCURRENCY_MAX = 1_000;

/** Functions of one account in one region (P7). */
export const FUNCTIONS_PER_REALM_MAX = 10_000;
/** Published versions of one function (P7). */
export const VERSIONS_PER_FUNCTION_MAX = 1_000;
/** Aliases of one function (P7). */
export const ALIASES_PER_FUNCTION_MAX = 1_000;
/** Layers of one account in one region (P7). */
export const LAYERS_PER_REALM_MAX = 1_000;
/** Names of functions and layers of one account in one region whose version numbers are remembered; at the bound the deleted one numbered longest ago is forgotten (P7). */
export const NUMBERED_NAMES_MAX = 20_000;
/** Versions of one layer (P7). */
export const VERSIONS_PER_LAYER_MAX = 1_000;

/** Answers of a list, unless less is asked for; a larger `MaxItems` is cut to it. */
export const LIST_ITEMS_MAX = 50;
/** Shortest time an asynchronous event may be told to wait for its success, in seconds. */
export const EVENT_AGE_SECONDS_MIN = 60;
/** Longest time an asynchronous event may be told to wait for its success, in seconds. */
export const EVENT_AGE_SECONDS_MAX = 21_600;
/** Most further attempts an asynchronous event may be told to get. */
export const RETRY_ATTEMPTS_MAX = 2;
/** Longest time a browser may be told to keep an answer about CORS, in seconds. */
export const CORS_MAX_AGE_SECONDS_MAX = 86_400;
