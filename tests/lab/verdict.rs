//! What must hold after each run.

use std::collections::BTreeSet;

use super::bench::{BEST, Deed, FIELD, Fields, SPARES, Secret, fingerprint, short};
use super::fault::{Fault, Side};
use super::host::errors;
use super::trial::{Cause, Evidence, Rights};
use crate::support::secrets::LeakSearch;

/// Looks at the change that was applied under faults; returns its letter and what is wrong.
///
/// `P` a spare's token was promoted, `A` another token was adopted, `W` a warning and the old
/// token, `E` an error and the old token, `U` nobody knows whether the primary was written, `k`
/// the process was killed.
pub(super) fn of_the_change(evidence: &Evidence<'_>) -> (char, Vec<String>) {
    let mut findings = kept(evidence);
    let primary = &evidence.after[0];
    let Some(applied) = evidence.first else {
        let killed = evidence
            .case
            .strikes
            .iter()
            .any(|strike| strike.fault == Fault::Kill);
        if !killed {
            findings.push("the provider did not answer".to_owned());
        }
        return ('k', findings);
    };
    let Some(instance) = &applied.instance else {
        findings.push(format!("an answer without a state: {:?}", applied.told));
        return ('?', findings);
    };
    let errors = errors(&applied.told);
    let all: String = applied
        .told
        .iter()
        .map(|told| format!("{}: {}\n", told.summary, told.detail))
        .collect();
    if all.contains("Provider bug") {
        findings.push(format!("a bug was told: {all}"));
    }
    let spares = promoted(evidence);
    let held = |wanted: &str| {
        (1..=primary.version())
            .filter_map(|version| primary.value(version))
            .any(|value| is_token(&value) && fingerprint(&value) == wanted)
    };
    let recorded = instance.text("fingerprint");
    if recorded.is_none_or(|recorded| !held(recorded)) {
        findings.push(format!("the state has {recorded:?}, which never was there"));
    }
    let changed = recorded != evidence.prior.text("fingerprint");
    let unsure = all.contains("did not confirm");
    let broken = evidence
        .bench
        .deeds()
        .iter()
        .any(|(deed, _)| matches!(deed, Deed::Broken | Deed::Delete));
    match (evidence.case.cause, errors.is_empty(), changed) {
        // The token still works, so nothing that goes wrong is an error.
        (Cause::Due, false, _) if !broken => {
            findings.push(format!("an error although the token works: {all}"));
        }
        (Cause::Requested, true, false) => {
            findings.push(format!("neither a new token nor an error: {all}"));
        }
        (Cause::Due, true, false) if applied.told.is_empty() => {
            findings.push("the old token without a word".to_owned());
        }
        (_, false, true) => findings.push(format!("an error with a new token: {all}")),
        _ => {}
    }
    let request = instance.state.get("rotate_when_changed").unwrap();
    if evidence.case.cause == Cause::Requested && errors.is_empty() == request.is_null() {
        findings.push(format!("the request is recorded as {request:?}: {all}"));
    }
    if !changed && !spares.is_empty() && !unsure && !late(evidence) {
        findings.push(format!("the token was promoted and nobody said so: {all}"));
    }
    if all.contains("Nothing was changed") && !changed && !spares.is_empty() && !late(evidence) {
        findings.push(format!("something was changed: {all}"));
    }
    let only_siblings = evidence
        .case
        .strikes
        .iter()
        .all(|strike| strike.fault == Fault::Deed(Deed::Sibling));
    let before = &evidence.before[0];
    if only_siblings && primary.current() == before.current() && primary.metadata != before.metadata
    {
        findings.push(format!(
            "the token that stays has another's stamp: {:?}",
            primary.metadata
        ));
    }
    if changed
        && recorded
            .is_some_and(|recorded| spares.iter().any(|token| fingerprint(token) == recorded))
    {
        let from = instance.text("rotated_from");
        let expected: Vec<_> = SPARES.map(|spare| evidence.bench.path(spare)).into();
        if !from.is_some_and(|from| expected.iter().any(|path| path == from)) {
            findings.push(format!("rotated_from is {from:?}"));
        }
    }
    let is_spare =
        recorded.is_some_and(|recorded| spares.iter().any(|token| fingerprint(token) == recorded));
    let letter = match (errors.is_empty(), changed, is_spare) {
        _ if unsure => 'U',
        (_, true, true) => 'P',
        (_, true, false) => 'A',
        (true, false, _) => 'W',
        (false, false, _) => 'E',
    };
    (letter, findings)
}

/// Looks at what there is after the apply without faults.
pub(super) fn of_the_end(evidence: &Evidence<'_>, is_barred: bool) -> Vec<String> {
    let mut findings = kept(evidence);
    let primary = &evidence.after[0];
    match primary.current() {
        Some(value) if is_token(&value) => {
            let old = evidence.before[0].current();
            if Some(&value) == old.as_ref() && !is_barred {
                findings.push("the primary holds its old token in the end".to_owned());
            }
        }
        other if !is_barred => {
            findings.push(format!("no token in the end: {}", other.is_some()));
        }
        _ => {}
    }
    let spent = promoted(evidence).len();
    let allowed = allowed(evidence);
    if spent > allowed {
        findings.push(format!("{spent} spares were spent, not {allowed}"));
    }
    // A mark that is open would keep the spare from everybody else for an hour.
    for (name, spare) in SPARES.iter().zip(&evidence.after[1..]) {
        let Some(token) = spare.current() else {
            continue;
        };
        for (key, value) in &spare.metadata {
            let parts: Vec<_> = value.split(' ').collect();
            if key.contains(".promoted_to.")
                && value.ends_with(&format!("/m-agent#{FIELD}"))
                && parts[0] == short(&token)
                && parts[1].parse::<usize>().unwrap() > primary.version()
            {
                findings.push(format!("{name} is still marked: {value}"));
            }
        }
    }
    findings.extend(leaks(evidence));
    findings
}

/// What must hold at any time.
fn kept(evidence: &Evidence<'_>) -> Vec<String> {
    let mut findings = Vec::new();
    let deeds = evidence.bench.deeds();
    let (before, after) = (&evidence.before[0], &evidence.after[0]);

    // Siblings: those of the version before, or what the second writer made of them.
    let mut siblings = without_token(before.versions.last().unwrap().as_ref().unwrap());
    for version in before.version() + 1..=after.version() {
        let Some(fields) = &after.versions[version - 1] else {
            continue;
        };
        let now = without_token(fields);
        let by_hand = deeds
            .iter()
            .any(|(deed, made)| *deed == Deed::Sibling && *made == Some(version));
        if by_hand {
            siblings = now;
        } else if now != siblings {
            findings.push(format!(
                "version {version} has other siblings: {siblings:?} became {now:?}"
            ));
        }
    }
    if before.versions[..] != after.versions[..before.version()] {
        findings.push("an old version changed".to_owned());
    }

    // Versions: each is the second writer's or one of ours, and each of ours has a new token.
    let ours = (before.version() + 1..=after.version())
        .filter(|version| deeds.iter().all(|(_, made)| *made != Some(*version)));
    let mut tokens = BTreeSet::new();
    for version in ours {
        match after.value(version) {
            None => findings.push(format!("version {version} of ours has no token")),
            Some(token) => {
                let of_a_spare = evidence
                    .after
                    .iter()
                    .skip(1)
                    .any(|spare| values(spare).contains(&token));
                if !of_a_spare {
                    findings.push(format!("version {version} of ours is no spare's"));
                }
                if !tokens.insert(token) {
                    findings.push(format!(
                        "version {version} has a token that we wrote before"
                    ));
                }
            }
        }
    }

    // Spares: no version of ours, and no field touched.
    for (name, (before, after)) in SPARES
        .iter()
        .zip(evidence.before.iter().zip(&evidence.after).skip(1))
    {
        let refills = deeds
            .iter()
            .filter(|(deed, _)| *name == BEST && *deed == Deed::Refill)
            .count();
        if after.version() != before.version() + refills {
            findings.push(format!("{name} got a version"));
        }
        if before.versions[..] != after.versions[..before.version()] {
            findings.push(format!("{name} changed"));
        }
    }

    // Nothing that was ever stored is gone; a broken value is nobody's token.
    for (index, secret) in evidence.before.iter().enumerate() {
        for token in values(secret) {
            if !values(&evidence.after[index]).contains(&token) {
                findings.push(format!("a token of secret {index} is lost"));
            }
        }
    }

    // Foreign keys of metadata.
    for (index, (before, after)) in evidence.before.iter().zip(&evidence.after).enumerate() {
        for key in before.metadata.keys() {
            if !key.starts_with(FIELD) && !after.metadata.contains_key(key) {
                findings.push(format!("secret {index} lost the key {key}"));
            }
        }
    }
    findings
}

/// Returns the tokens of spares that the primary came to hold by our hand.
fn promoted(evidence: &Evidence<'_>) -> BTreeSet<String> {
    let (before, after) = (&evidence.before[0], &evidence.after[0]);
    let spares: BTreeSet<_> = evidence.after.iter().skip(1).flat_map(values).collect();
    (before.version() + 1..=after.version())
        .filter_map(|version| after.value(version))
        .filter(|token| spares.contains(token) && !values(before).contains(token))
        .collect()
}

/// Returns how many spares may be spent: one, one more for each time that somebody put something
/// else over a spare's token, and one where a crash cannot leave a note of what it did.
fn allowed(evidence: &Evidence<'_>) -> usize {
    let deeds = evidence.bench.deeds();
    let replaced = deeds
        .iter()
        .filter(|(deed, made)| {
            matches!(deed, Deed::Working | Deed::Broken)
                && made.is_some_and(|made| made > evidence.before[0].version() + 1)
        })
        .count();
    let unnoted = matches!(evidence.case.rights, Rights::NoMetadata | Rights::Unwanted)
        || evidence.case.strikes.iter().any(|strike| {
            strike.fault == Fault::Status(403)
                && strike.request.contains("metadata/")
                && strike.side == Side::Before
        });
    1 + replaced + usize::from(unnoted)
}

fn late(evidence: &Evidence<'_>) -> bool {
    evidence
        .case
        .strikes
        .iter()
        .any(|strike| strike.fault == Fault::Late)
}

fn leaks(evidence: &Evidence<'_>) -> Vec<String> {
    let mut search = LeakSearch::new();
    for (label, token) in evidence.bench.tokens() {
        search.plant(&label, &token);
    }
    for text in &evidence.texts {
        search.text("what a user reads", text);
    }
    search.leaks().to_vec()
}

fn without_token(fields: &Fields) -> Fields {
    let mut fields = fields.clone();
    fields.remove(FIELD);
    fields
}

fn values(secret: &Secret) -> Vec<String> {
    (1..=secret.version())
        .filter_map(|version| secret.value(version))
        .collect()
}

fn is_token(value: &str) -> bool {
    value.len() == 108
}
