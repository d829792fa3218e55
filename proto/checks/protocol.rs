//! The proto says what hosts say.

use std::collections::BTreeMap;

use prost_types::field_descriptor_proto::Type;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    MessageOptions, MethodDescriptorProto,
};

const PACKAGE: &str = "tfplugin6";

/// Every message and enum of the proto by its name within the package.
#[derive(Default)]
struct Declared {
    messages: BTreeMap<String, DescriptorProto>,
    enums: BTreeMap<String, EnumDescriptorProto>,
}

impl Declared {
    fn add_message(&mut self, outer: &str, message: &DescriptorProto) {
        let is_map_entry = message
            .options
            .as_ref()
            .is_some_and(MessageOptions::map_entry);
        if is_map_entry {
            return;
        }
        let name = format!("{outer}{}", message.name());
        let inner = format!("{name}.");
        for nested in &message.nested_type {
            self.add_message(&inner, nested);
        }
        for nested in &message.enum_type {
            self.add_enum(&inner, nested);
        }
        self.messages.insert(name, message.clone());
    }

    fn add_enum(&mut self, outer: &str, declared: &EnumDescriptorProto) {
        let name = format!("{outer}{}", declared.name());
        self.enums.insert(name, declared.clone());
    }

    fn field(&self, message: &str, name: &str) -> &FieldDescriptorProto {
        let fields = &self.messages[message].field;
        fields.iter().find(|field| field.name() == name).unwrap()
    }
}

fn file() -> FileDescriptorProto {
    let files = super::descriptors("tfplugin6.proto").file;
    let ours = files.into_iter().find(|file| file.package() == PACKAGE);
    ours.unwrap()
}

fn declared(file: &FileDescriptorProto) -> Declared {
    let mut declared = Declared::default();
    for message in &file.message_type {
        declared.add_message("", message);
    }
    for top in &file.enum_type {
        declared.add_enum("", top);
    }
    declared
}

#[test]
fn version_6_11_is_complete_but_for_state_stores() {
    let file = file();
    let declared = declared(&file);
    let fields = declared
        .messages
        .values()
        .map(|message| message.field.len());
    let values = declared.enums.values().map(|declared| declared.value.len());
    assert_eq!(declared.messages.len(), 114);
    assert_eq!(fields.sum::<usize>(), 253);
    assert_eq!(values.sum::<usize>(), 20);
    assert_eq!(file.service.len(), 1);
    assert_eq!(file.service[0].name(), "Provider");
    assert_eq!(file.service[0].method.len(), 28);
}

#[test]
fn numbers_that_break_the_order_are_kept() {
    let declared = declared(&file());
    for (message, field, number) in [
        ("ValidateProviderConfig.Response", "diagnostics", 2),
        ("GetProviderSchema.Response", "diagnostics", 4),
        ("GetProviderSchema.Response", "provider_meta", 5),
        ("GetProviderSchema.Response", "server_capabilities", 6),
        ("GetProviderSchema.Response", "functions", 7),
        ("GetProviderSchema.Response", "action_schemas", 11),
        ("Schema.Object", "nesting", 3),
        ("Schema.Attribute", "nested_type", 10),
        ("Schema.Attribute", "write_only", 11),
        ("Schema.Attribute", "deprecation_message", 12),
        ("PlanResourceChange.Request", "planned_private", 9),
        ("ListResource.Event", "diagnostic", 4),
        ("StopProvider.Response", "Error", 1),
    ] {
        let declared = declared.field(message, field).number();
        assert_eq!(declared, number, "{message}.{field}");
    }
}

#[test]
fn fields_with_presence_and_streams_are_kept() {
    let file = file();
    let declared = declared(&file);
    let private = declared.field("OpenEphemeralResource.Response", "private");
    assert!(private.proto3_optional());
    assert_eq!(private.r#type(), Type::Bytes);
    assert!(
        !declared
            .field("ReadResource.Response", "private")
            .proto3_optional()
    );
    let methods = file.service[0].method.iter();
    let streams: Vec<&str> = methods
        .filter(|method| method.server_streaming())
        .map(MethodDescriptorProto::name)
        .collect();
    assert_eq!(streams, ["ListResource", "InvokeAction"]);
}
