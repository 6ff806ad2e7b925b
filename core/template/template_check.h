// Everything that can be known to be wrong with a template before a message
// asks for it: `pony template check`.
//
// Promises: looks at all of it and stops at nothing; what it calls an error
// would stop a mail or send one that nobody meant, the rest are warnings; a
// template without errors can be filled in. Pure but for reading through
// `folder`. Doesn't know: messages (replay_check.h), how findings are printed.
//
// Each check is a file of its own: check_files (what lies there), check_names
// (languages and parts use the same), check_markup (HTML, and that the text
// says the same).
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "core/template/template_finding.h"
#include "core/template/template_folder.h"
#include "core/template/template_source.h"

namespace pony {

// Checks the template `id`; what is found goes to `findings`. Answers what was
// read. Errors: as read_template_source.
Result<TemplateSource> check_template(TemplateFolder& folder,
                                      const std::string& id,
                                      const std::string& site_default,
                                      TemplateFindings& findings);

// The ids among `folders`, the names of the folders in the templates' root.
// What can be no template's name is a finding, and so is a folder of partials
// that no language is called by.
std::vector<std::string> check_root(TemplateFolder& folder,
                                    const std::vector<std::string>& folders,
                                    TemplateFindings& findings);

// What only all templates together show: languages that some of `all` have
// and others have not.
void check_translations(const std::vector<TemplateSource>& all,
                        TemplateFindings& findings);

// The checks that check_template is made of.
void check_files(const TemplateSource& source, TemplateFindings& findings);
void check_settings(const TemplateSource& source, TemplateFindings& findings);
void check_names(const TemplateSource& source, TemplateFindings& findings);
void check_markup(const TemplateSource& source, TemplateFindings& findings);

}  // namespace pony
