terraform {
  required_providers {
    claude = {
      source = "terraform.local/claude-ops/claude"
    }
  }
}

# The address and the Vault token come from VAULT_ADDR and VAULT_TOKEN.
provider "claude" {}

# After a leak, give it a new value: the next apply rotates the token.
variable "leak" {
  type    = string
  default = null
}

# The tokens already exist in Vault. Importing them does not change them.
import {
  to = claude_oauth_token.agent
  id = "secret/claude-agent-service"
}

import {
  to = claude_token_spare_pool.agent
  id = "secret/claude-agent-service-spare-{1,2}"
}

resource "claude_oauth_token" "agent" {
  path = "claude-agent-service"

  # The spares to promote from.
  spare_paths = [
    "claude-agent-service-spare-1",
    "claude-agent-service-spare-2",
  ]
  rotate_when_changed = var.leak == null ? null : { leak = var.leak }
}

resource "claude_token_spare_pool" "agent" {
  paths = [
    "claude-agent-service-spare-1",
    "claude-agent-service-spare-2",
  ]

  # No spare may hold this secret's token.
  primary_path = "claude-agent-service"

  # One usable spare is enough here. By default, every path must hold one.
  min_available = 1
}

# For spec.data of an ExternalSecret. It is known at plan.
output "external_secret_data" {
  value = claude_oauth_token.agent.external_secret_data
}

output "expires_at" {
  value = claude_oauth_token.agent.expires_at
}

output "fingerprint" {
  value = claude_oauth_token.agent.fingerprint
}

output "spares" {
  value = { for path, spare in claude_token_spare_pool.agent.spares : path => spare.status }
}
