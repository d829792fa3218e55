//! How a host that is played may differ from the recorded one.

use terraform_provider_claude::protocol::generated::tfplugin6 as wire;

use crate::hosts::recording::RecordedRun;

/// How the host that is played differs from the recorded one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quirks {
    /// Sends no message about what it can do, and knows no identities.
    pub(crate) knows_less: bool,
    /// Sends no identity with the second plan of a replacement.
    pub(crate) replaces_without_identity: bool,
    /// Sends the private data of the first plan with the second, and says that it does.
    pub(crate) returns_planned_private: bool,
}

impl Quirks {
    pub(super) fn capabilities(
        self,
        recorded: Option<wire::ClientCapabilities>,
    ) -> Option<wire::ClientCapabilities> {
        let recorded = recorded.filter(|_| !self.knows_less)?;
        Some(wire::ClientCapabilities {
            store_planned_private: self.returns_planned_private,
            computed_blocks_allowed: self.returns_planned_private,
            ..recorded
        })
    }

    pub(super) fn identity(
        self,
        identity: &Option<wire::ResourceIdentityData>,
    ) -> Option<wire::ResourceIdentityData> {
        identity.clone().filter(|_| !self.knows_less)
    }

    /// Tells whether such a host can do a run at all.
    pub(super) fn can(self, run: &RecordedRun) -> bool {
        let needs_more = ["store a token", "forget again", "import by identity"];
        !self.knows_less || !needs_more.contains(&run.name.as_str())
    }
}
