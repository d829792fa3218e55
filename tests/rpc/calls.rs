//! The calls that are served.

use std::collections::BTreeSet;

use super::host::Host;
use super::thing::Script;

#[test]
fn every_declared_call_is_served() {
    let declared: BTreeSet<_> = include_str!("../../proto/tfplugin6.proto")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("rpc ")?.split('(').next())
        .map(|name| format!("/tfplugin6.Provider/{}", name.trim()))
        .collect();
    let calls = Host::new(Script::default()).service.calls();
    let served: BTreeSet<_> = calls.paths().map(str::to_owned).collect();
    assert_eq!(served, declared);
}
