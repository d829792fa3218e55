include "root" {
  path = find_in_parent_folders("root.hcl")
}

terraform {
  source = "${dirname(find_in_parent_folders("root.hcl"))}/modules//agent"
}

# Only the order. The module reads the fingerprint itself: a dependency block would plan with the
# one of the last apply.
dependencies {
  paths = ["../claude-tokens"]
}

inputs = {
  path = values.path
}
