# A stack that uses a token but does not manage one. It needs no provider block, and nothing is read
# from Vault.
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
