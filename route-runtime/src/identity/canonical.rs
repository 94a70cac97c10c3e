//! A writer of JSON that gives each value one spelling.

use std::fmt;

use serde::Serialize;
use serde::ser::{
    self, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

/// The writer of one value. It writes what `serde_json` would, except for the order of a map's
/// entries and for values that JSON cannot tell apart.
pub(super) struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Writes a value as `serde_json` spells it.
    fn scalar(self, value: &(impl Serialize + ?Sized)) -> Result<(), Unwritable> {
        serde_json::to_writer(self.out, value).map_err(ser::Error::custom)
    }

    fn float(self, value: &impl Serialize, is_finite: bool) -> Result<(), Unwritable> {
        if !is_finite {
            return Err(Unwritable(
                "holds a `NaN` or an infinity, which JSON cannot write".into(),
            ));
        }
        self.scalar(value)
    }

    /// Writes `{"variant":`. The closing of the variant ends the object.
    fn variant(&mut self, variant: &str) -> Result<(), Unwritable> {
        self.out.push(b'{');
        Writer::new(self.out).scalar(variant)?;
        self.out.push(b':');
        Ok(())
    }

    fn list(self, open: u8, close: &'static str) -> List<'a> {
        self.out.push(open);
        List {
            out: self.out,
            is_first: true,
            close,
        }
    }
}

/// The reason why a value cannot be written.
#[derive(Debug)]
pub(super) struct Unwritable(String);

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(format!("cannot be written as JSON: {message}"))
    }
}

macro_rules! scalars {
    ($($method:ident: $ty:ty),* $(,)?) => {
        $(fn $method(self, value: $ty) -> Result<(), Unwritable> {
            self.scalar(&value)
        })*
    };
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = List<'a>;
    type SerializeTuple = List<'a>;
    type SerializeTupleStruct = List<'a>;
    type SerializeTupleVariant = List<'a>;
    type SerializeMap = Map<'a>;
    type SerializeStruct = List<'a>;
    type SerializeStructVariant = List<'a>;

    scalars! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_char: char,
        serialize_str: &str,
    }

    fn serialize_f32(self, value: f32) -> Result<(), Unwritable> {
        self.float(&value, value.is_finite())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Unwritable> {
        self.float(&value, value.is_finite())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Unwritable> {
        self.scalar(value)
    }

    fn serialize_none(self) -> Result<(), Unwritable> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unwritable> {
        let start = self.out.len();
        value.serialize(Writer::new(self.out))?;
        if &self.out[start..] == b"null" {
            return Err(Unwritable(
                "holds a `Some` that JSON writes as `null`, like `None`".into(),
            ));
        }
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), Unwritable> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unwritable> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Unwritable> {
        self.scalar(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        self.variant(variant)?;
        value.serialize(Writer::new(self.out))?;
        self.out.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'a>, Unwritable> {
        Ok(self.list(b'[', "]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<List<'a>, Unwritable> {
        Ok(self.list(b'[', "]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List<'a>, Unwritable> {
        Ok(self.list(b'[', "]"))
    }

    fn serialize_tuple_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List<'a>, Unwritable> {
        self.variant(variant)?;
        Ok(self.list(b'[', "]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Map<'a>, Unwritable> {
        Ok(Map {
            out: self.out,
            entries: Vec::new(),
        })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<List<'a>, Unwritable> {
        Ok(self.list(b'{', "}"))
    }

    fn serialize_struct_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List<'a>, Unwritable> {
        self.variant(variant)?;
        Ok(self.list(b'{', "}}"))
    }
}

/// The values of a list or the fields of a struct, in the given order.
pub(super) struct List<'a> {
    out: &'a mut Vec<u8>,
    is_first: bool,
    close: &'static str,
}

impl List<'_> {
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.separate();
        value.serialize(Writer::new(self.out))
    }

    /// Writes a field. Fields need no sorting, because their order is that of the declaration.
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Unwritable> {
        self.separate();
        Writer::new(self.out).scalar(name)?;
        self.out.push(b':');
        value.serialize(Writer::new(self.out))
    }

    fn separate(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.out.push(b',');
        }
    }

    fn close(self) {
        self.out.extend_from_slice(self.close.as_bytes());
    }
}

macro_rules! list_of_values {
    ($($trait:ident $method:ident),*) => {
        $(impl $trait for List<'_> {
            type Ok = ();
            type Error = Unwritable;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
                self.value(value)
            }

            fn end(self) -> Result<(), Unwritable> {
                self.close();
                Ok(())
            }
        })*
    };
}

list_of_values! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
}

macro_rules! list_of_fields {
    ($($trait:ident),*) => {
        $(impl $trait for List<'_> {
            type Ok = ();
            type Error = Unwritable;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Unwritable> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), Unwritable> {
                self.close();
                Ok(())
            }
        })*
    };
}

list_of_fields!(SerializeStruct, SerializeStructVariant);

/// The entries of a map, which are sorted once all are there.
pub(super) struct Map<'a> {
    out: &'a mut Vec<u8>,
    entries: Vec<(Vec<u8>, Vec<u8>)>,
}

impl SerializeMap for Map<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        let mut bytes = Vec::new();
        key.serialize(Writer::new(&mut bytes))?;
        // JSON's names are strings, so numbers and booleans are put in quotes, as `serde_json`
        // does.
        match bytes.first() {
            Some(b'"') => {}
            Some(b'{' | b'[') | None => {
                return Err(ser::Error::custom("the key of a map is not a string"));
            }
            Some(_) if bytes == b"null" => {
                return Err(ser::Error::custom("the key of a map is not a string"));
            }
            Some(_) => {
                bytes.insert(0, b'"');
                bytes.push(b'"');
            }
        }
        self.entries.push((bytes, Vec::new()));
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        match self.entries.last_mut() {
            Some((_, bytes)) => value.serialize(Writer::new(bytes)),
            None => Err(ser::Error::custom("a map's value comes before its key")),
        }
    }

    fn end(mut self) -> Result<(), Unwritable> {
        self.entries.sort_unstable();
        self.out.push(b'{');
        for (index, (key, value)) in self.entries.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.out.extend_from_slice(key);
            self.out.push(b':');
            self.out.extend_from_slice(value);
        }
        self.out.push(b'}');
        Ok(())
    }
}
