#include "core/html/preheader.h"
namespace pony {
std::size_t preheader_place(std::string_view html) { auto b=html.find("<body"); if(b==html.npos) return 0; return html.find('>',b)+1; }
std::string preheader_html(std::string_view t) { return "<div style=\"display:none\">"+std::string(t)+"</div>"; }
}
