//! Which instances were imported in the run at hand.
//!
//! The plan that imports must not take its arguments for requests, but it has the same state and
//! the same private data before it as the plan of any later run, and what a refresh would mark
//! there is drift to a host. So an import leaves an empty `rotation_reason`, which is as good as
//! none, and it is taken away when the state is loaded: by the next run before its refresh, and
//! by the apply of this run before it plans again. The two are told apart by the refresh.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::model::OauthToken;
use crate::sdk::Field;

/// The empty reason that an import leaves.
const MARK: &str = "";

/// Instances whose mark was taken away, and that were not refreshed since.
#[derive(Debug, Default)]
pub(super) struct Imports(Mutex<HashSet<String>>);

impl Imports {
    /// Marks a state as imported.
    pub(super) fn mark(state: &mut OauthToken) {
        state.rotation_reason = Field::text(MARK);
    }

    /// Tells whether a state has the mark.
    pub(super) fn is_marked(state: &OauthToken) -> bool {
        state.rotation_reason.as_str() == Some(MARK)
    }

    /// Takes the mark away from a state that is loaded.
    pub(super) fn loaded(&self, state: &mut OauthToken) {
        if Self::is_marked(state) {
            state.rotation_reason = Field::Null;
            if let Some(id) = state.id.known() {
                self.lock().insert(id.clone());
            }
        }
    }

    /// Takes note of a refresh: a mark that was taken away before it was of an earlier run.
    pub(super) fn refreshed(&self, state: &OauthToken) {
        if let Some(id) = state.id.as_str() {
            self.lock().remove(id);
        }
    }

    /// Tells whether the plan or apply of this state belongs to the run that imported it.
    pub(super) fn is_current(&self, prior: &OauthToken) -> bool {
        Self::is_marked(prior) || prior.id.as_str().is_some_and(|id| self.lock().contains(id))
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
