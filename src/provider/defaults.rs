//! Defaults that more than one type uses.

/// Field of a secret that holds the token.
pub(super) const DEFAULT_FIELD: &str = "claude_oauth_token";
/// Variable that Claude Code reads, and key of the token in a Kubernetes Secret.
pub(super) const DEFAULT_SECRET_KEY: &str = "CLAUDE_CODE_OAUTH_TOKEN";
/// Mount of the KV version 2 engine.
pub(super) const DEFAULT_MOUNT: &str = "secret";
