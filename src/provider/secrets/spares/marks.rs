//! What a mark means, by what its primary shows.

use crate::protocol::Diagnostic;
use crate::provider::diagnose;
use crate::provider::diagnose::refuse::secret_path;
use crate::provider::observe::{Content, Observation, Observed};
use crate::provider::secrets::spares::Spares;
use crate::token::mark::{Mark, MarkState, NamedVersion, PrimaryFacts};
use crate::vault::{SecretPath, VaultError};

/// Why a primary did not show what a mark means.
enum Unjudged {
    /// It cannot be read.
    Unreadable,
    /// A read failed that may succeed later.
    Failed(Box<Diagnostic>),
}

impl Unjudged {
    fn new(error: &VaultError, place: &str) -> Self {
        if error.refuses_for_good() {
            Self::Unreadable
        } else {
            Self::Failed(Box::new(diagnose::vault_error(error, place)))
        }
    }
}

impl Spares<'_> {
    /// Reads the primary that a mark names, and decides what the mark means.
    ///
    /// # Errors
    ///
    /// Fails if a read fails that may succeed later.
    pub(in crate::provider) async fn judge(&self, mark: &Mark) -> Result<MarkState, Diagnostic> {
        let primary = if mark.version == 0 {
            PrimaryFacts::Unreadable
        } else {
            match self.primary_of(mark).await {
                Ok(facts) => facts,
                Err(Unjudged::Unreadable) => PrimaryFacts::Unreadable,
                Err(Unjudged::Failed(error)) => return Err(*error),
            }
        };
        let vault_now = (!self.configured.clocks_differ()).then(|| self.configured.server_now());
        Ok(mark.state(primary, vault_now))
    }

    /// Reads the primary that a mark names, the version that the token was to become, and the
    /// version before that.
    async fn primary_of(&self, mark: &Mark) -> Result<PrimaryFacts, Unjudged> {
        let secret =
            secret_path(self.mount, &mark.primary.path).map_err(|_| Unjudged::Unreadable)?;
        let observed = match self.observe(&secret).await {
            Ok(observed) => observed,
            Err(error) => {
                let place = format!("{secret}#{}", mark.primary.field);
                return Err(Unjudged::new(&error, &place));
            }
        };
        let current_version = match &*observed {
            Observed::Present(current) => current.version,
            Observed::Deleted(gone) | Observed::Destroyed(gone) => gone.version,
            Observed::Absent => 0,
        };
        let current = match &*observed {
            Observed::Present(current) => Some(current),
            _ => None,
        };
        let holds_token = current.is_some_and(|current| has_marked(current, mark));
        let of_version = async |version: u64| {
            if version == current_version {
                return Ok(current.map(|current| (has_marked(current, mark), current.created_at)));
            }
            self.older(mark, &secret, version).await
        };
        let named_version = if mark.version > current_version {
            NamedVersion::NotYet
        } else {
            match of_version(mark.version).await? {
                Some((true, _)) => NamedVersion::HeldToken,
                Some((false, _)) => NamedVersion::OtherValue,
                None => NamedVersion::Unreadable,
            }
        };
        // A version that can be judged by itself needs no other evidence.
        let is_decided = holds_token
            || matches!(
                named_version,
                NamedVersion::HeldToken | NamedVersion::Unreadable
            );
        let before = mark.version - 1;
        let created_before = if is_decided || before == 0 || before > current_version {
            None
        } else {
            of_version(before).await?.map(|(_, created_at)| created_at)
        };
        Ok(PrimaryFacts::Read {
            holds_token,
            current_version,
            named_version,
            created_before,
        })
    }

    /// Reads whether an older version held the marked token, and when it was created; `None` if
    /// it can no longer be read.
    async fn older(
        &self,
        mark: &Mark,
        secret: &SecretPath,
        version: u64,
    ) -> Result<Option<(bool, jiff::Timestamp)>, Unjudged> {
        match self.observer.observe_version(secret, version).await {
            Ok(Observed::Present(version)) => {
                Ok(Some((has_marked(&version, mark), version.created_at)))
            }
            Ok(_) => Ok(None),
            Err(error) => {
                let place = format!("version {version} of {secret}");
                Err(Unjudged::new(&error, &place))
            }
        }
    }
}

/// Returns whether a version of the primary holds the token that a mark is about.
fn has_marked(version: &Observation, mark: &Mark) -> bool {
    matches!(
        version.field(&mark.primary.field, None),
        Content::Token { fingerprint, .. } if mark.is_about(&fingerprint)
    )
}
