# The page's Ruby example; trust comes from SSL_CERT_FILE.
require 'net/http'
require 'json'

origin = ENV.fetch('MSGINE_ORIGIN', 'https://api.msgine.net')
uri = URI("#{origin}/api/v1/messages/sms")

http = Net::HTTP.new(uri.host, uri.port)
http.use_ssl = true

request = Net::HTTP::Post.new(uri.path)
request['Authorization'] = "Bearer #{ENV.fetch('MSGINE_TOKEN')}"
request['Content-Type'] = 'application/json'
request.body = {
  to: '+256701234567',
  message: 'Hello from MsGine!'
}.to_json

response = http.request(request)
puts response.body
