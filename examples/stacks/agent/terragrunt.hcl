include "root" {
  path = find_in_parent_folders("root.hcl")
}

include "claude" {
  path = find_in_parent_folders("claude.hcl")
}

# The token is read after the stack that owns it has been applied.
dependencies {
  paths = ["../claude-tokens"]
}
