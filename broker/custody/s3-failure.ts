/** Why an S3 bucket cannot be used, in words that say what to change. */

const ADVICE: Readonly<Record<string, string>> = {
  NoSuchBucket: "there is no such bucket",
  AccessDenied: "access is denied: the broker needs s3:PutObject, s3:GetObject and s3:ListBucket on it",
  Forbidden: "access is denied: the broker needs s3:PutObject, s3:GetObject and s3:ListBucket on it",
  InvalidAccessKeyId: "the store does not know the access key",
  SignatureDoesNotMatch: "the secret key does not belong to the access key",
  CredentialsProviderError:
    "no credentials were found where the AWS SDK looks for them (environment, files, instance role)",
  PermanentRedirect: "it is in another region: say so in region=",
  AuthorizationHeaderMalformed: "it is in another region: say so in region=",
};

export function describeS3Failure(bucket: string, cause: unknown): string {
  const { name, message } = cause instanceof Error ? cause : { name: "Error", message: String(cause) };
  const known = Object.hasOwn(ADVICE, name) ? ADVICE[name] : undefined;
  const reason = known ?? (message === "Region is missing" ? "its region is missing: add region=" : message);
  return `the S3 bucket ${bucket} cannot be used: ${reason}`;
}
