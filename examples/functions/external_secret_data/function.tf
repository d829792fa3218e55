# A stack that uses a token and owns none: no provider block, no state, no request to Vault.
output "external_secret_data" {
  value = concat(
    [
      {
        secretKey = "API_BEARER_TOKEN"
        remoteRef = { key = "claude-agent-service", property = "api_bearer_token" }
      },
    ],
    provider::claude::external_secret_data("claude-agent-service", null, null),
  )
}
