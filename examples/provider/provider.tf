terraform {
  required_version = ">= 1.11"

  required_providers {
    claude = {
      source = "terraform.local/claude-ops/claude"
    }
  }
}

# The address and the Vault token come from VAULT_ADDR and VAULT_TOKEN, as with the Vault CLI.
provider "claude" {
  # KV version 2 mount for everything that does not set its own.
  mount = "secret"

  # How long before expiry plans start asking for a new token.
  rotate_before_days = 30
}

# A token that already exists in Vault.
resource "claude_oauth_token" "agent" {
  path = "claude-agent-service"
}
