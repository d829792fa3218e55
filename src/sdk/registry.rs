//! The types and functions of a provider, by name, behind object-safe interfaces.

use std::collections::{BTreeMap, HashMap};
use std::ops::Deref;

use super::action::{Action, ErasedAction};
use super::coding::Outcome;
use super::function::{ErasedFunction, Function};
use super::list_resource::{ErasedList, ListResource};
use super::lookup::{ErasedLookup, Lookup};
use super::model::{AttributeValue, Model};
use super::resource::{ErasedResource, GenerateConfig, ImportState, Resource, UpgradeState};
use super::typed::{Described, Typed};
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::{Diagnostic, Schema, Signature};

/// Everything that a provider offers.
pub struct Registry<C> {
    /// The managed resource types.
    pub resources: Types<dyn ErasedResource<C>>,
    /// The data source types.
    pub data_sources: Types<dyn ErasedLookup<C>>,
    /// The ephemeral resource types.
    pub ephemeral_resources: Types<dyn ErasedLookup<C>>,
    /// The types that can be listed, by the name of their resource type.
    pub list_resources: Types<dyn ErasedList<C>>,
    /// The actions.
    pub actions: Types<dyn ErasedAction<C>>,
    /// The functions, by the name after `provider::NAME::`.
    pub functions: Types<dyn ErasedFunction>,
}

impl<C: Send + Sync + 'static> Registry<C> {
    /// Makes a registry without types.
    pub fn new() -> Self {
        Self {
            resources: Types::of("resource type"),
            data_sources: Types::of("data source type"),
            ephemeral_resources: Types::of("ephemeral resource type"),
            list_resources: Types::of("list resource type"),
            actions: Types::of("action type"),
            functions: Types::of("function"),
        }
    }

    /// Adds a managed resource type.
    #[must_use]
    pub fn resource<R>(mut self, resource: R) -> Self
    where
        R: Resource<Configured = C> + ImportState + GenerateConfig + UpgradeState,
    {
        let typed = Typed::new(resource, || Schema {
            version: R::version(),
            ..described::<R::Model>(R::DESCRIPTION)
        });
        self.resources.insert(R::TYPE_NAME, Box::new(typed));
        self
    }

    /// Adds a data source type.
    #[must_use]
    pub fn data_source<L: Lookup<Configured = C>>(mut self, lookup: L) -> Self {
        let typed = Typed::new(lookup, || described::<L::Model>(L::DESCRIPTION));
        self.data_sources.insert(L::TYPE_NAME, Box::new(typed));
        self
    }

    /// Adds an ephemeral resource type: values that hosts pass on and never store. A host opens it
    /// in the plan and again in the apply. An open instance holds nothing outside this process, so
    /// it is neither renewed nor closed.
    #[must_use]
    pub fn ephemeral_resource<L: Lookup<Configured = C>>(mut self, lookup: L) -> Self {
        let typed = Typed::new(lookup, || described::<L::Model>(L::DESCRIPTION));
        self.ephemeral_resources
            .insert(L::TYPE_NAME, Box::new(typed));
        self
    }

    /// Adds the listing of a resource type, which is also registered.
    #[must_use]
    pub fn list_resource<L>(mut self, list: L) -> Self
    where
        L: ListResource,
        L::Resource: Resource<Configured = C>,
    {
        let typed = Typed::new(list, || described::<L::Config>(L::DESCRIPTION));
        self.list_resources
            .insert(L::Resource::TYPE_NAME, Box::new(typed));
        self
    }

    /// Adds an action.
    #[must_use]
    pub fn action<A: Action<Configured = C>>(mut self, action: A) -> Self {
        let typed = Typed::new(action, || described::<A::Config>(A::DESCRIPTION));
        self.actions.insert(A::TYPE_NAME, Box::new(typed));
        self
    }

    /// Adds a function. It has no access to the configuration or the network.
    #[must_use]
    pub fn function<F: Function>(mut self, function: F) -> Self {
        let typed = Typed::new(function, || Signature {
            parameters: F::Arguments::attributes(),
            takes_unknown: F::TAKES_UNKNOWN,
            result: F::Result::kind().implied_type(),
            summary: F::SUMMARY.to_owned(),
            description: F::DESCRIPTION.to_owned(),
        });
        self.functions.insert(F::NAME, Box::new(typed));
        self
    }
}

impl<C> Registry<C> {
    /// Returns the signatures of all functions, as sent to hosts.
    pub(super) fn signatures(&self) -> HashMap<String, wire::Function> {
        self.functions.each(|function| function.signature().into())
    }
}

impl<C: Send + Sync + 'static> Default for Registry<C> {
    fn default() -> Self {
        Self::new()
    }
}

fn described<M: Model>(description: &str) -> Schema {
    Schema::new(M::attributes()).description(description)
}

/// The types of one kind, by name.
pub struct Types<T: ?Sized> {
    kind: &'static str,
    by_name: BTreeMap<&'static str, Box<T>>,
}

impl<T: ?Sized> Types<T> {
    fn of(kind: &'static str) -> Self {
        Self {
            kind,
            by_name: BTreeMap::new(),
        }
    }

    fn insert(&mut self, name: &'static str, one: Box<T>) {
        self.by_name.insert(name, one);
    }

    /// Returns the type with this name, or the error that there is none.
    pub(super) fn find(&self, name: &str) -> Outcome<&T> {
        self.by_name.get(name).map(Box::as_ref).ok_or_else(|| {
            let kind = self.kind;
            vec![Diagnostic::error(
                format!("Unknown {kind}"),
                format!(
                    "This version of the provider does not have the {kind} that was requested. \
                     Check that the configuration was written for this version of the provider."
                ),
            )]
        })
    }

    /// Makes something of each name.
    pub(super) fn names<N>(&self, make: impl Fn(String) -> N) -> Vec<N> {
        self.by_name
            .keys()
            .map(|name| make((*name).to_owned()))
            .collect()
    }

    /// Makes something of each type, by name.
    pub(super) fn each<N>(&self, make: impl Fn(&T) -> N) -> HashMap<String, N> {
        let types = self.by_name.iter();
        types
            .map(|(name, one)| ((*name).to_owned(), make(one)))
            .collect()
    }
}

impl<T: Described + ?Sized> Types<T> {
    /// Returns the schemas, as sent to hosts.
    pub(super) fn schemas(&self) -> HashMap<String, wire::Schema> {
        self.each(|one| one.schema().into())
    }
}

impl<T: ?Sized> Deref for Types<T> {
    type Target = BTreeMap<&'static str, Box<T>>;

    fn deref(&self) -> &Self::Target {
        &self.by_name
    }
}
