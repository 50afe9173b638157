//! preloader.
