terraform {
  required_version = ">= 1.11"

  required_providers {
    claude = {
      source = "terraform.local/claude-ops/claude"
    }
  }
}

# Address and token come from VAULT_ADDR and VAULT_TOKEN, as for the Vault command line.
provider "claude" {
  # KV v2 mount of resources that name none.
  mount = "secret"

  # From when on a plan asks for a new token.
  rotate_before_days = 30
}

# A token that is in Vault already.
resource "claude_oauth_token" "agent" {
  path = "claude-agent-service"
}
