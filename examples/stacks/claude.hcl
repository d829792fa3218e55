# Stacks that use the claude provider include this file along with root.hcl. A module can have only
# one required_providers block, but an override file can add to it.

generate "claude" {
  path      = "claude_override.tf"
  if_exists = "overwrite_terragrunt"
  contents  = <<-EOT
    terraform {
      required_providers {
        claude = {
          source = "terraform.local/claude-ops/claude"
        }
      }
    }

    provider "claude" {}
  EOT
}
