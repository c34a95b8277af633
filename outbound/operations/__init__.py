"""Every operation, one module a subject. Whatever differs between sources follows section 6 of mixpanel-facts."""
