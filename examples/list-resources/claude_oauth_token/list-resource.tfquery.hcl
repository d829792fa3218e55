# Finds every token in the folder team. To generate import and resource blocks for them:
#
#   terraform query -generate-config-out=generated.tf
list "claude_oauth_token" "team" {
  provider = claude

  # Includes their dates and all other attributes.
  include_resource = true

  config {
    path_prefix = "team/"
  }
}
