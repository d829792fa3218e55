terraform {
  required_providers {
    claude = {
      source = "terraform.local/claude-ops/claude"
    }
  }
}

variable "path" {
  description = "Path of the token that the agents use."
  type        = string
}

variable "spare_paths" {
  description = "Paths of the spares, in order of preference."
  type        = list(string)
}

resource "claude_token_spare_pool" "this" {
  paths        = var.spare_paths
  primary_path = var.path
}

resource "claude_oauth_token" "this" {
  path        = var.path
  spare_paths = claude_token_spare_pool.this.paths
}

output "fingerprint" {
  value = claude_oauth_token.this.fingerprint
}

output "expires_at" {
  value = claude_oauth_token.this.expires_at
}

output "status" {
  value = claude_oauth_token.this.status
}

output "available_count" {
  value = claude_token_spare_pool.this.available_count
}

output "runway_until" {
  description = "After this time, no spare can help."
  value       = claude_token_spare_pool.this.runway_until
}
