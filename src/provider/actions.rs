//! The actions, one file each.

pub(super) mod promote_spare;
