/** What a file is, by how its name ends: what people upload most; others go as bytes. `--content-type` says otherwise. */
const TYPES: Readonly<Record<string, string>> = {
  ...{ txt: "text/plain", log: "text/plain", md: "text/markdown", csv: "text/csv", html: "text/html", htm: "text/html", css: "text/css" },
  ...{ js: "text/javascript", mjs: "text/javascript", xml: "application/xml", json: "application/json", ndjson: "application/x-ndjson" },
  ...{ yaml: "application/yaml", yml: "application/yaml", pdf: "application/pdf", zip: "application/zip", gz: "application/gzip" },
  ...{ tgz: "application/gzip", tar: "application/x-tar", zst: "application/zstd", wasm: "application/wasm" },
  ...{ parquet: "application/vnd.apache.parquet", webmanifest: "application/manifest+json" },
  ...{ jpg: "image/jpeg", jpeg: "image/jpeg", png: "image/png", gif: "image/gif", webp: "image/webp", avif: "image/avif" },
  ...{ svg: "image/svg+xml", ico: "image/vnd.microsoft.icon", bmp: "image/bmp", tif: "image/tiff", tiff: "image/tiff", heic: "image/heic" },
  ...{ mp3: "audio/mpeg", m4a: "audio/mp4", wav: "audio/wav", ogg: "audio/ogg", flac: "audio/flac" },
  ...{ mp4: "video/mp4", webm: "video/webm", mov: "video/quicktime", mkv: "video/matroska" },
  ...{ woff: "font/woff", woff2: "font/woff2", ttf: "font/ttf", otf: "font/otf" },
};

/** Undefined where nothing is known: S3 says `binary/octet-stream` then. */
export function contentTypeOf(name: string): string | undefined {
  const extension = /\.([A-Za-z0-9]{1,12})$/u.exec(name)?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(TYPES, extension) ? TYPES[extension] : undefined;
}
