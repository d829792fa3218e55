# Rejects anything that is not a token before anything is planned. Set TF_VAR_new_token in the run
# that stores the token, and leave it out afterwards: null is not valid, so the condition allows it.
variable "new_token" {
  type      = string
  ephemeral = true
  default   = null

  validation {
    condition     = var.new_token == null || provider::claude::token_check(var.new_token).valid
    error_message = "new_token is not an OAuth token. Run `claude setup-token` in a terminal at least 300 columns wide, and use the token that it prints."
  }
}

resource "claude_oauth_token" "review" {
  path             = "claude-review-service"
  token_wo         = var.new_token
  token_wo_version = 1
}
