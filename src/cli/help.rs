//! The texts of `--help`.

use super::arguments::Topic;

/// Where tokens come from, for whoever tried to give one as an argument.
pub(super) const TOKENS_BY_INPUT: &str = "\
Tokens come by standard input only: an argument stays in the history of the
shell and shows in the list of processes. Run this, paste the token and press
Enter:

    terraform-provider-claude store PATH

If what was typed was a real token, take it out of the shell's history.
";

const PROGRAM: &str = "\
Provider for Terraform and OpenTofu, which start it without arguments.

Usage: terraform-provider-claude COMMAND [OPTIONS]
       terraform-provider-claude --version | --help | --debug

Commands:
  install     Put this program where `terraform init` and `tofu init` find it.
  store       Store a token in Vault or OpenBao: checked, dated, beside the
              other fields of the secret.
  status      Show tokens, when they expire and what is due; for people, as
              JSON or for Prometheus.

Options:
  --version   Print name and version.
  --help      Print this text; after a command, what it takes.
  --debug     Serve in plaintext until interrupted, and print the variable
              TF_REATTACH_PROVIDERS that makes Terraform use this process.

Exit codes: 0 done, 1 failed, 2 wrong arguments.
";

const INSTALL: &str = "\
Installs this program where Terraform and OpenTofu look for providers, and
prints the block to paste into a configuration. It is safe to run again.

Usage: terraform-provider-claude install [--dir DIR | --packed]

  --dir DIR   Write a packed mirror into DIR, for an image or for CI: a zip,
              index.json, and a JSON file with its hashes. Terragrunt's caches
              accept it, and behind an HTTPS server it is a network mirror.
              On Linux, every user's Terraform and OpenTofu search
              /usr/local/share/terraform/plugins. For any other folder, the
              CLI configuration to add is printed.
  --packed    Write the same files into your own plugin folder.

Exit codes: 0 done, 1 failed, 2 wrong arguments.
";

const STORE: &str = "\
Stores a token in one field of one KV version 2 secret. It is checked first,
every other field stays as it is, the one before stays in the KV history, and
the mint time is written to the secret's metadata. The token comes by a prompt
that shows nothing, or by standard input; never as an argument. Vault is asked
first, and a secret that will be new is told on standard error:

    claude setup-token        (in a terminal at least 300 columns wide)
    terraform-provider-claude store claude-agent-service

Usage: terraform-provider-claude store [OPTIONS] PATH

  PATH                        Path in the mount, as `vault kv list` shows it.
  --minted-at TIME            When the token was minted, such as
                              2026-03-01T00:00:00Z. Default: now, by Vault's
                              clock; for a token that is there already, what
                              the KV history tells.
  --stamp-only                Date the token that is there; ask for none.
  --mount MOUNT               KV version 2 mount. Default: secret
  --field FIELD               Default: claude_oauth_token
  --lifetime-days DAYS        Days from mint to expiry. Default: 365
  --rotate-before-days DAYS   Days before its expiry from which a token is
                              due. Default: 30

Address, Vault token, namespace and TLS come from the environment as for the
provider: VAULT_ADDR, VAULT_TOKEN or ~/.vault-token, VAULT_NAMESPACE,
VAULT_CACERT and so on, or the same with BAO_. While TF_CLAUDE_NOW is set,
nothing is written.

Exit codes: 0 stored, or there already; 1 failed; 2 wrong arguments; 130
interrupted at the prompt.
";

const STATUS: &str = "\
Shows tokens: how each stands, when it was minted and when it expires. Reads
data alone, one request for each secret that has a stamp.

Usage: terraform-provider-claude status [OPTIONS] [PATH...]

  PATH                        Path in the mount, several as \"spare-{1,2}\" or
                              \"spare-{1..5}\" in quotes, or all below a prefix
                              as team/ with a slash at its end. Default: the
                              whole mount. Paths take `read` on data alone;
                              prefixes and the mount `list` on metadata, too.
  --json                      Print JSON.
  --metrics                   Print metrics for Prometheus; never exit with 2.
  --detailed-exitcode         Exit with 2 when a token is anything but in_date;
                              wrong arguments are 1 then.
  --mount MOUNT               KV version 2 mount. Default: secret
  --field FIELD               Default: claude_oauth_token
  --lifetime-days DAYS        Days from mint to expiry. Default: 365
  --rotate-before-days DAYS   Days before its expiry from which a token is
                              due. Default: 30

How a token stands:

  in_date                     Not due.
  rotation_due                Not expired, but to be replaced.
  expired                     Its day has passed.
  spent                       A spare whose token was promoted to a primary.
  duplicate                   Another secret that is shown holds the same token
                              and comes first: the primary, else the first one.
  malformed                   The field holds something that is no token.
  missing                     There is no such secret or field.
  unreadable                  Vault did not let us look: the reason is on
                              standard error, and the exit code is 1.

claude_token_spare_pool says available of a spare that is in_date and neither
spent nor a duplicate. Which secrets are spares is written nowhere, so that
in_date is the word here for a spare as for a primary.

A folder that is named and has no token is mistyped, most likely: the exit code
is 1.

Address, Vault token, namespace and TLS come from the environment as for the
provider: VAULT_ADDR, VAULT_TOKEN or ~/.vault-token, VAULT_NAMESPACE,
VAULT_CACERT and so on, or the same with BAO_. TF_CLAUDE_NOW rehearses a date;
NO_COLOR turns colours off.

Exit codes: 0 all was looked at; 1 failed, if only in part; 2 wrong arguments,
or see --detailed-exitcode.
";

/// Returns the help about something.
pub(super) fn text(topic: Topic) -> &'static str {
    match topic {
        Topic::Program => PROGRAM,
        Topic::Install => INSTALL,
        Topic::Store => STORE,
        Topic::Status => STATUS,
    }
}
