//! Walks over every secret that counts below a prefix, in the order of paths.
//!
//! First the folders are listed, level by level; then the secrets are read. A secret or folder that
//! may not be listed or read is reported and skipped, as is any other failure that concerns only
//! one of them. Once the deadline of its observer has passed, a walk reports the rest as not read.
//! Dropping the stream ends the walk.

use std::future::{self, Future};
use std::mem;
use std::pin::pin;
use std::sync::Arc;

use futures_util::stream::{self, Stream, StreamExt as _, TryStreamExt as _};

use crate::provider::observe::{Observed, Observer};
use crate::token::name::{HIDDEN, has_token};
use crate::token::prefix::Prefix;
use crate::vault::{FolderPath, Listing, MAXIMUM_NAMES, SecretPath, SecretPathError, VaultError};

/// Maximum number of concurrent requests; the store has a limit of its own for all walks together.
const CONCURRENCY: usize = 16;
/// Maximum depth of nested folders: a server that invents them never ends.
const MAXIMUM_DEPTH: usize = 32;
/// Maximum number of folders that are listed.
const MAXIMUM_FOLDERS: usize = 10_000;

/// A walk to carry out.
#[derive(Clone, Copy)]
pub(in crate::provider) struct Walk<'a> {
    /// The observer, which reads the secrets.
    pub(in crate::provider) observer: &'a Observer,
    /// The mount.
    pub(in crate::provider) mount: &'a str,
    /// Where the walk begins in the mount.
    pub(in crate::provider) prefix: &'a Prefix,
    /// The field that a secret must have to count.
    pub(in crate::provider) field: &'a str,
    /// What else makes a secret count.
    pub(in crate::provider) also: Option<&'a Counts<'a>>,
}

/// Reports whether a secret counts, based on what was read.
pub(in crate::provider) type Counts<'a> = dyn Fn(&Observed) -> bool + Sync + 'a;

/// What a walk finds.
#[derive(Debug)]
pub(in crate::provider) enum Item<T = FoundSecret> {
    /// The result for a secret that counts.
    Secret(T),
    /// A secret or folder that could not be read.
    Skipped(Skipped),
}

/// A secret that counts.
#[derive(Debug)]
pub(in crate::provider) struct FoundSecret {
    /// The secret.
    pub(in crate::provider) secret: SecretPath,
    /// What was read.
    pub(in crate::provider) observed: Arc<Observed>,
}

/// A secret or folder that could not be read.
#[derive(Debug)]
pub(in crate::provider) struct Skipped {
    /// Its path in the mount; that of a folder ends with a slash.
    pub(in crate::provider) path: String,
    /// Why it could not be read.
    pub(in crate::provider) reason: SkipReason,
}

/// Why something could not be read.
#[derive(Debug)]
pub(in crate::provider) enum SkipReason {
    /// Vault denied the request, or its answer was not usable.
    Vault(VaultError),
    /// The name is not supported.
    Name(SecretPathError),
    /// Its name contains a token, which must not be shown.
    Token,
    /// It is nested too deeply, or comes after too many others.
    Bound,
    /// The time for the whole walk was over.
    Time,
}

impl Skipped {
    /// A secret for which no time was left.
    pub(in crate::provider) fn late(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            reason: SkipReason::Time,
        }
    }
}

/// What a whole walk found, each in the order of paths.
#[derive(Debug, Default)]
pub(in crate::provider) struct Findings {
    /// Secrets that count.
    pub(in crate::provider) secrets: Vec<FoundSecret>,
    /// What could not be read.
    pub(in crate::provider) skipped: Vec<Skipped>,
}

impl<'a> Walk<'a> {
    /// Walks, and yields what `make` returns for each secret as soon as everything before it has
    /// been yielded. Each secret is read once.
    ///
    /// The consumer must not send requests to Vault between two items: reads that have begun
    /// continue only while the stream is polled, and block others until then. Such work belongs in
    /// `make`.
    ///
    /// # Errors
    ///
    /// Fails if the first folder cannot be listed, or if Vault fails in a way that would persist.
    /// The error is an item of the stream, and nobody should wait for what comes after it.
    pub(in crate::provider) fn stream<F: Future + Send + 'a>(
        self,
        make: impl Fn(FoundSecret) -> F + Copy + Send + 'a,
    ) -> impl Stream<Item = Result<Item<F::Output>, VaultError>> + Send + 'a
    where
        F::Output: Send,
    {
        let read = move |entry| async move {
            Ok(match self.read(entry).await? {
                Some(Item::Secret(found)) => Some(Item::Secret(make(found).await)),
                Some(Item::Skipped(skipped)) => Some(Item::Skipped(skipped)),
                None => None,
            })
        };
        stream::once(self.list())
            .map_ok(move |entries| stream::iter(entries).map(read).buffered(CONCURRENCY))
            .try_flatten()
            .filter_map(|item| future::ready(item.transpose()))
    }

    /// Walks to the end.
    ///
    /// # Errors
    ///
    /// Fails if [`Walk::stream`] yields an error.
    pub(in crate::provider) async fn to_the_end(self) -> Result<Findings, VaultError> {
        let mut findings = Findings::default();
        let mut stream = pin!(self.stream(future::ready));
        while let Some(item) = stream.try_next().await? {
            match item {
                Item::Secret(found) => findings.secrets.push(found),
                Item::Skipped(skipped) => findings.skipped.push(skipped),
            }
        }
        Ok(findings)
    }

    /// Lists every folder and returns what is in them, sorted by path.
    async fn list(self) -> Result<Vec<Entry>, VaultError> {
        let store = self.observer.store();
        let Ok(first) = FolderPath::new(self.mount, self.prefix.folder()) else {
            // The caller has checked both.
            return Err(VaultError::Unsendable);
        };
        let mut names = Names::default();
        let listing = store.list(&first).await?;
        names.take(&first, listing, |name| self.prefix.takes(name));
        for _ in 0..MAXIMUM_DEPTH {
            let level = mem::take(&mut names.folders);
            let mut listings = stream::iter(level)
                .map(async |folder| (store.list(&folder).await, folder))
                .buffer_unordered(CONCURRENCY);
            while let Some((listing, folder)) = listings.next().await {
                match listing {
                    Ok(listing) => names.take(&folder, listing, |_| true),
                    Err(error) => names.pass_over(folder.path_of(""), self.alone(error)?),
                }
            }
        }
        Ok(names.sorted())
    }

    /// Reads a secret; `None` if it does not count.
    async fn read(self, entry: Entry) -> Result<Option<Item>, VaultError> {
        let secret = match entry {
            Entry::Secret(secret) => secret,
            Entry::Skipped(skipped) => return Ok(Some(Item::Skipped(skipped))),
        };
        let observed = match self.observer.observe(&secret).await {
            Ok(observed) => observed,
            Err(error) => {
                return Ok(Some(Item::Skipped(Skipped {
                    path: secret.path().to_owned(),
                    reason: self.alone(error)?,
                })));
            }
        };
        let counts =
            observed.has_field(self.field) || self.also.is_some_and(|counts| counts(&observed));
        if !counts {
            // Nobody asked for its contents, and an observer remembers text.
            self.observer.forget(&secret);
            return Ok(None);
        }
        Ok(Some(Item::Secret(FoundSecret { secret, observed })))
    }

    /// Works like [`alone`]; once the time is over, nothing that is left is read.
    fn alone(self, error: VaultError) -> Result<SkipReason, VaultError> {
        match alone(error) {
            Err(_) if self.observer.store().is_time_over() => Ok(SkipReason::Time),
            verdict => verdict,
        }
    }
}

/// Reports whether a failure concerns only one secret or folder; any other failure ends the walk.
fn alone(error: VaultError) -> Result<SkipReason, VaultError> {
    match error {
        VaultError::Forbidden { .. }
        | VaultError::UnexpectedAnswer { .. }
        | VaultError::TooLarge { .. } => Ok(SkipReason::Vault(error)),
        VaultError::Server { status, .. } if status < 500 => Ok(SkipReason::Vault(error)),
        error => Err(error),
    }
}

/// Something that a listing names.
enum Entry {
    Secret(SecretPath),
    Skipped(Skipped),
}

impl Entry {
    fn path(&self) -> &str {
        match self {
            Self::Secret(secret) => secret.path(),
            Self::Skipped(skipped) => &skipped.path,
        }
    }
}

/// The names from all listings so far.
#[derive(Default)]
struct Names {
    entries: Vec<Entry>,
    /// Folders that are still to be listed.
    folders: Vec<FolderPath>,
    /// How many folders there were.
    folder_count: usize,
    /// Whether there were more names than are remembered.
    is_cut: bool,
}

impl Names {
    fn take(&mut self, folder: &FolderPath, listing: Listing, wanted: impl Fn(&str) -> bool) {
        if listing.is_cut {
            self.cut(folder);
        }
        for name in listing.secrets.into_iter().filter(|name| wanted(name)) {
            if self.is_full(folder) {
                return;
            }
            if has_token(&name) {
                self.pass_over(folder.path_of(HIDDEN), SkipReason::Token);
                continue;
            }
            match folder.secret(&name) {
                Ok(secret) => self.entries.push(Entry::Secret(secret)),
                Err(error) => self.pass_over(folder.path_of(&name), SkipReason::Name(error)),
            }
        }
        for name in listing.folders.into_iter().filter(|name| wanted(name)) {
            if self.is_full(folder) {
                return;
            }
            if has_token(&name) {
                self.pass_over(folder.path_of(HIDDEN) + "/", SkipReason::Token);
                continue;
            }
            self.folder_count += 1;
            match folder.subfolder(&name) {
                Ok(subfolder) if self.folder_count <= MAXIMUM_FOLDERS => {
                    self.folders.push(subfolder);
                }
                Ok(subfolder) => self.pass_over(subfolder.path_of(""), SkipReason::Bound),
                Err(error) => self.pass_over(folder.path_of(&name) + "/", SkipReason::Name(error)),
            }
        }
    }

    /// Reports whether nothing more is remembered; the first folder that this cuts is passed over.
    fn is_full(&mut self, folder: &FolderPath) -> bool {
        let is_full = self.entries.len() >= MAXIMUM_NAMES;
        if is_full {
            self.cut(folder);
        }
        is_full
    }

    fn cut(&mut self, folder: &FolderPath) {
        if !self.is_cut {
            self.is_cut = true;
            self.pass_over(folder.path_of(""), SkipReason::Bound);
        }
    }

    fn pass_over(&mut self, path: String, reason: SkipReason) {
        self.entries.push(Entry::Skipped(Skipped { path, reason }));
    }

    fn sorted(mut self) -> Vec<Entry> {
        for folder in mem::take(&mut self.folders) {
            self.pass_over(folder.path_of(""), SkipReason::Bound);
        }
        self.entries
            .sort_by(|one, other| one.path().cmp(other.path()));
        self.entries
    }
}

#[cfg(test)]
mod tests;
