/**
 * Of these texts, one stands in everything that a token format matches: a text without any of them holds none.
 */
export const TOKEN_BEGINNINGS: readonly string[] = [
  ...["lanyard_", "lop_"],
  ...["gho_", "ghp_", "ghr_", "ghs_", "ghu_", "github_pat_"],
  ...["glpat-", "glrt-", "glcbt-", "gldt-", "glptt-", "glsoat-"],
  ...["sk-", "k_live_", "k_test_"],
  ...["AKIA", "ASIA", "ABIA", "ACCA", "AIza", "ya29."],
  ...["xox", "xapp-", "npm_", "pypi-", "hf_", "dckr_pat_", "dckr_oat_"],
  ...["doo_v1_", "dop_v1_", "dor_v1_", "ntn_", "lin_api_", "lin_oauth_", "SG."],
  ...["eyJ", "-----BEGIN "],
];
