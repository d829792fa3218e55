include "root" {
  path = find_in_parent_folders("root.hcl")
}

include "claude" {
  path = find_in_parent_folders("claude.hcl")
}
