import { S3 } from "@aws-sdk/client-s3";
import { decodePng, encodePng } from "./png.mjs";
import { shrink } from "./shrink.mjs";

const s3 = new S3({});

/** The longer side of a thumbnail, in pixels. */
const SIDE = 128;

/** Called when pictures were uploaded: makes a small one of each, under the same key in the other bucket. */
export const handler = async ({ Records }) => {
  for (const { s3: told } of Records) await makeThumbnail(told.bucket.name, told.object);
};

async function makeThumbnail(Bucket, { key, versionId }) {
  // Keys come as forms write them: a blank is a plus.
  const Key = decodeURIComponent(key.replaceAll("+", " "));
  const { Body } = await s3.getObject({ Bucket, Key, VersionId: versionId });
  const picture = decodePng(Buffer.from(await Body.transformToByteArray()));
  const small = shrink(picture, SIDE);
  await s3.putObject({
    Bucket: process.env.THUMBNAILS,
    Key,
    Body: encodePng(small),
    ContentType: "image/png",
    CacheControl: "max-age=86400",
    Metadata: { "original-size": `${picture.width}x${picture.height}` },
  });
  console.log(`${Key}: ${picture.width} × ${picture.height} to ${small.width} × ${small.height}`);
}
