//! The proto says what hosts say.

use std::collections::BTreeMap;

use prost_types::field_descriptor_proto::Type;
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto, MethodDescriptorProto,
};

const PACKAGE: &str = "tfplugin6";

/// Every message of the proto by its name within the package.
#[derive(Default)]
struct Declared {
    messages: BTreeMap<String, DescriptorProto>,
}

impl Declared {
    fn add_message(&mut self, outer: &str, message: &DescriptorProto) {
        let name = format!("{outer}{}", message.name());
        let inner = format!("{name}.");
        for nested in &message.nested_type {
            self.add_message(&inner, nested);
        }
        self.messages.insert(name, message.clone());
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
    declared
}

#[test]
fn numbers_that_break_the_order_are_kept() {
    let declared = declared(&file());
    for (message, field, number) in [
        ("ValidateProviderConfig.Response", "diagnostics", 2),
        ("GetProviderSchema.Response", "diagnostics", 4),
        ("GetProviderSchema.Response", "server_capabilities", 6),
        ("GetProviderSchema.Response", "functions", 7),
        ("GetProviderSchema.Response", "action_schemas", 11),
        ("Schema.Object", "nesting", 3),
        ("Schema.Attribute", "nested_type", 10),
        ("Schema.Attribute", "write_only", 11),
        ("PlanResourceChange.Request", "planned_private", 9),
        ("ListResource.Event", "diagnostic", 4),
    ] {
        let declared = declared.field(message, field).number();
        assert_eq!(declared, number, "{message}.{field}");
    }
}

#[test]
fn fields_with_presence_and_streams_are_kept() {
    let file = file();
    let declared = declared(&file);
    let argument = declared.field("FunctionError", "function_argument");
    assert!(argument.proto3_optional());
    assert_eq!(argument.r#type(), Type::Int64);
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
