include "root" {
  path = find_in_parent_folders("root.hcl")
}

terraform {
  source = "${dirname(find_in_parent_folders("root.hcl"))}/modules//claude-tokens"

  before_hook "tokens" {
    commands = ["plan"]
    execute  = ["terraform-provider-claude", "status", "claude-agent-service"]
  }
}

inputs = {
  path        = values.path
  spare_paths = values.spare_paths
}
