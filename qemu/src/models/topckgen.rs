//! Model of topckgen.
