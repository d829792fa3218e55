# For the stacks that use the claude provider, which include this file beside root.hcl. A module has
# one required_providers block; an override file may add to it.

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
  EOT
}
