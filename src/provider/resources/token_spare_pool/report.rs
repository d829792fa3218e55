//! What is reported about a pool: shortage, copies, and an end that all spares share.

use jiff::Timestamp;

use super::model::{Private, Problem, Spare, TokenSparePool};
use crate::protocol::{Diagnostic, Number, Text, text};
use crate::provider::diagnose::refuse::secret_path;
use crate::provider::diagnose::{self, Place, path_may_be_wrong};
use crate::sdk::{Diagnostics, Field};
use crate::token::instant::{format_instant, parse_instant, whole_seconds};
use crate::token::pool::SpareStatus;
use crate::vault::SecretPath;

/// How many spares a text names one by one.
const NAMED: usize = 20;

/// Reports whether fewer spares are available than required; `None` where that is not known.
pub(super) fn is_short(pool: &TokenSparePool) -> Option<bool> {
    let available = pool.available_count.known()?.as_i64()?;
    let wanted = pool.min_available.known()?.as_i64()?;
    Some(available < wanted)
}

/// Returns everything that warrants a warning. If a change is planned for a shortage, the warning
/// says so.
pub(super) fn warnings(pool: &TokenSparePool, private: &Private) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    if is_short(pool) == Some(true) {
        // This warning names the duplicates as well.
        diagnostics.push(shortage(pool, private));
    } else {
        diagnostics.extend(duplicates(pool, private));
    }
    diagnostics
}

/// Warns about paths that are most likely a mistake in a new pool.
pub(super) fn paths_may_be_wrong(pool: &TokenSparePool) -> Diagnostics {
    let (Some(mount), Some(field)) = (pool.mount.as_str(), pool.field.as_str()) else {
        return Diagnostics::new();
    };
    let may_be_wrong = |path: &String| {
        let secret = SecretPath::new(mount, path).ok()?;
        let place = Place {
            secret: &secret,
            field,
        };
        path_may_be_wrong(place, "paths")
    };
    let paths = pool.known_paths().unwrap_or_default();
    paths.iter().filter_map(may_be_wrong).collect()
}

/// Warns that no available spare lasts beyond the day on which the primary is due.
pub(super) fn due_with_primary(pool: &TokenSparePool, due: Timestamp) -> Diagnostic {
    let due = format_instant(due);
    Diagnostic::warning(
        format!("Spares {} are due no later than their primary", name(pool)),
        format!(
            "The primary {} is due for rotation {due}. By then, every available spare is due as \
             well, and an apply does not promote such a spare because of a date. Store a newer \
             token in one of the spares before {due}.",
            pool.primary_path.as_str().unwrap_or_default(),
        ),
    )
}

/// Warns that the primary and every available spare belong to the same account.
pub(super) fn one_account(pool: &TokenSparePool, account: &str) -> Diagnostic {
    Diagnostic::warning(
        format!("Spares {} belong to the primary's account", name(pool)),
        format!(
            "The primary and every available spare carry the account label {account}. If that \
             account is disabled, they all stop working. Store a token of another account in one \
             of the spares.",
        ),
    )
}

fn shortage(pool: &TokenSparePool, private: &Private) -> Diagnostic {
    let spares = pool.spares.known().into_iter().flatten();
    let lacking = spares.filter(|(_, spare)| status(spare) != Some(SpareStatus::Available));
    let detail = Text::from(
        "An apply does not fix this. Mint a token for each of these spares with `claude \
         setup-token` in a terminal at least 300 columns wide, run the spare's command, paste the \
         token, and press Enter. If fewer spares are enough, lower min_available.",
    );
    Diagnostic::warning(
        format!(
            "Spares {}: {} available, {} required",
            name(pool),
            number(&pool.available_count),
            number(&pool.min_available)
        ),
        listed(detail, pool, private, lacking),
    )
}

/// Adds spares with their problems and the commands that help, as many as fit on a screen.
fn listed<'a>(
    mut text: Text,
    pool: &TokenSparePool,
    private: &Private,
    spares: impl Iterator<Item = (&'a String, &'a Spare)> + Clone,
) -> Text {
    for (path, spare) in spares.clone().take(NAMED) {
        text = text.paragraph(format!("- {path}:")) + reason(pool, path, spare, private);
    }
    let more = spares.count().saturating_sub(NAMED);
    if more > 0 {
        text = text.paragraph(format!("- and {more} more"));
    }
    text
}

/// Returns why a spare is not available, and the command that helps.
fn reason(pool: &TokenSparePool, path: &str, spare: &Spare, private: &Private) -> Text {
    let mount = pool.mount.as_str().unwrap_or_default();
    let Ok(secret) = secret_path(mount, path) else {
        return "its path is not valid.".into();
    };
    let place = Place {
        secret: &secret,
        field: pool.field.as_str().unwrap_or_default(),
    };
    let private = private.spares.get(path);
    let why = match private.and_then(|private| private.problem.as_ref()) {
        Some(Problem::NoToken(unusable)) => diagnose::unusable_text(place, unusable),
        Some(Problem::Barred(bar)) => diagnose::barred_spare(&secret, bar),
        None => by_state(spare),
    };
    let by_date = matches!(
        status(spare),
        Some(SpareStatus::Expired | SpareStatus::RotationDue)
    );
    let ends = instant(&spare.expires_at);
    let deletion = private.and_then(|private| private.deletion_at);
    match deletion.filter(|at| by_date && ends == Some(whole_seconds(*at))) {
        Some(at) => why + diagnose::deletion_ends(place, at, false),
        None if why.has_command() => why,
        None => why + place.store_command(),
    }
}

/// Returns why a spare is not available, as far as state shows it.
fn by_state(spare: &Spare) -> Text {
    let expires_at = spare.expires_at.as_str().unwrap_or("on an unknown date");
    match status(spare) {
        Some(SpareStatus::Spent) => {
            diagnose::spent(spare.promoted_to.as_str().unwrap_or("a primary"))
        }
        Some(SpareStatus::Duplicate) => text!(
            "it holds the same token as {}, so it expires and leaks together with it.",
            spare.duplicate_of.as_str().unwrap_or("another path")
        ),
        Some(SpareStatus::Refused) => "its token was refused when it was last tried.".into(),
        Some(SpareStatus::Unproven) => "its token has a length that was never seen to work.".into(),
        Some(SpareStatus::Expired) => text!("its token expired {expires_at}."),
        Some(SpareStatus::RotationDue) => text!("its token is due: it expires {expires_at}."),
        Some(SpareStatus::Missing) => "it does not hold a token.".into(),
        Some(SpareStatus::Malformed) => "it does not hold a token.".into(),
        Some(SpareStatus::Available) | None => "its status is unknown.".into(),
    }
}

fn duplicates(pool: &TokenSparePool, private: &Private) -> Option<Diagnostic> {
    let spares = pool.spares.known()?.iter();
    let copies = spares.filter(|(_, spare)| !spare.duplicate_of.is_null());
    copies.clone().next()?;
    let detail = Text::from(
        "A copy is not a spare. Mint a separate token for each path with `claude setup-token` in a \
         terminal at least 300 columns wide, run the spare's command, paste the token, and press \
         Enter.",
    );
    Some(Diagnostic::warning(
        format!("Spares {} have copies", name(pool)),
        listed(detail, pool, private, copies),
    ))
}

/// Warns before or after the resource is destroyed.
pub(super) fn stays_in_vault(pool: &TokenSparePool) -> Diagnostic {
    Diagnostic::warning(
        format!("Spares {} stay in Vault", name(pool)),
        "Only the resource leaves the state: nothing is removed from Vault, and no token is \
         revoked. Each token works until it expires, for everyone who has it.",
    )
}

/// Compares the dates that are in state with the clock, without Vault.
pub(super) fn rejudge(pool: &mut TokenSparePool, now: Timestamp) {
    let Field::Known(spares) = &mut pool.spares else {
        return;
    };
    for spare in spares.values_mut() {
        let by_date = matches!(
            status(spare),
            Some(SpareStatus::Available | SpareStatus::RotationDue | SpareStatus::Expired)
        );
        if let (true, Some(expires_at), Some(rotate_at)) = (
            by_date,
            instant(&spare.expires_at),
            instant(&spare.rotate_at),
        ) {
            let judged = if now >= expires_at {
                SpareStatus::Expired
            } else if now >= rotate_at {
                SpareStatus::RotationDue
            } else {
                SpareStatus::Available
            };
            spare.status = Field::text(judged.as_str());
        }
    }
    let available = |path: &String| {
        spares
            .get(path)
            .filter(|spare| status(spare) == Some(SpareStatus::Available))
            .and_then(|spare| instant(&spare.expires_at))
    };
    // Spares only ever leave the list this way; their order stays what it was.
    let mut paths = pool.available_paths.known().cloned().unwrap_or_default();
    paths.retain(|path| available(path).is_some());
    pool.runway_until = paths
        .iter()
        .filter_map(available)
        .max()
        .map(format_instant)
        .into();
    pool.available_count = Field::Known(Number::from(paths.len() as u64));
    pool.available_paths = Field::Known(paths);
}

/// Returns the status of a spare, if it is known.
pub(super) fn status(spare: &Spare) -> Option<SpareStatus> {
    SpareStatus::parse(spare.status.as_str()?)
}

fn instant(text: &Field<String>) -> Option<Timestamp> {
    parse_instant(text.as_str()?).ok()
}

fn name(pool: &TokenSparePool) -> &str {
    pool.id.as_str().unwrap_or("of the pool")
}

fn number(number: &Field<Number>) -> String {
    number
        .known()
        .map_or_else(|| "?".to_owned(), ToString::to_string)
}
