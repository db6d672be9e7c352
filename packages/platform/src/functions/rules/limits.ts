/** The bounds users meet when they manage functions; docs/specification.md shows the same numbers. */

/** A zip handed over in the request itself. */
export const CODE_ZIP_BYTES_MAX = 52_428_800;
/** A function's code and its layers together, unpacked. */
export const CODE_UNPACKED_BYTES_MAX = 262_144_000;
/** All zips of one realm, versions and layers included. */
export const CODE_STORAGE_BYTES_MAX = 80_530_636_800;
export const CODE_ENTRIES_MAX = 50_000;
/** A whole path inside a zip, UTF-8. */
export const CODE_PATH_BYTES_MAX = 1_024;
/** One component of such a path: what Linux file systems take. */
export const CODE_NAME_BYTES_MAX = 255;
export const CODE_PATH_DEPTH_MAX = 64;
/** What a symbolic link may point to, UTF-8. */
export const CODE_LINK_BYTES_MAX = 1_024;
/** Unpacked bytes for each byte of zip, above `CODE_RATIO_FREE_BYTES`: real packages stay far below it. */
export const CODE_RATIO_MAX = 200;
/** Unpacked bytes that no ratio is asked of, so that a small file of zeros passes. */
export const CODE_RATIO_FREE_BYTES = 10_485_760;

export const MEMORY_MB_MIN = 128;
export const MEMORY_MB_MAX = 10_240;
export const TIMEOUT_MS_MIN = 1_000;
export const TIMEOUT_MS_MAX = 900_000;
export const TMP_MB_MIN = 512;
export const TMP_MB_MAX = 10_240;
/** The variables as JSON, UTF-8. */
export const ENVIRONMENT_BYTES_MAX = 4_096;
export const HANDLER_LENGTH_MAX = 128;
export const DESCRIPTION_LENGTH_MAX = 256;
export const LAYERS_PER_FUNCTION_MAX = 5;

export const FUNCTION_NAME_LENGTH_MAX = 64;
export const ALIAS_NAME_LENGTH_MAX = 128;
export const LAYER_NAME_LENGTH_MAX = 64;
export const STATEMENT_ID_LENGTH_MAX = 100;
/** A resource policy as JSON, UTF-8. */
export const RESOURCE_POLICY_BYTES_MAX = 20_480;

export const TAGS_MAX = 50;
export const TAG_KEY_LENGTH_MAX = 128;
export const TAG_VALUE_LENGTH_MAX = 256;

/** Calls of one account running at once in one region. */
export const ACCOUNT_CONCURRENCY = 1_000;
/** What reservations always leave to functions without one. */
export const UNRESERVED_CONCURRENCY_MIN = 100;
/** `lambent:concurrency`: calls one instance takes at once. */
export const INSTANCE_CONCURRENCY_MAX = 1_000;

export const FUNCTIONS_PER_REALM_MAX = 10_000;
export const VERSIONS_PER_FUNCTION_MAX = 1_000;
export const ALIASES_PER_FUNCTION_MAX = 1_000;
export const LAYERS_PER_REALM_MAX = 1_000;
export const VERSIONS_PER_LAYER_MAX = 1_000;

/** Answers of a list, unless less is asked for; a larger `MaxItems` is cut to it. */
export const LIST_ITEMS_MAX = 50;
export const EVENT_AGE_SECONDS_MIN = 60;
export const EVENT_AGE_SECONDS_MAX = 21_600;
export const RETRY_ATTEMPTS_MAX = 2;
export const CORS_MAX_AGE_SECONDS_MAX = 86_400;
