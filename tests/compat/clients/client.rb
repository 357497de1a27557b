# Net::HTTP with a session that was started, which keeps its connection.

require "json"
require "net/http"

URL = URI("#{ENV.fetch('BASE_URL')}/messages/sms")
HEADERS = {
  "Authorization" => "Bearer #{ENV.fetch('TOKEN')}",
  "Content-Type" => "application/json"
}.freeze
BODY = JSON.generate(to: "+256701234567", message: "Hello from Ruby")
SENDS = Integer(ENV.fetch("SENDS"))
PAUSES = Float(ENV.fetch("SHORTEST_PAUSE"))..Float(ENV.fetch("LONGEST_PAUSE"))

def send_message(http)
  http.post(URL.path, BODY, HEADERS).code
rescue StandardError => e
  "lost: #{e.class}: #{e.message}"
end

def send_all
  Net::HTTP.start(URL.host, URL.port) do |http|
    SENDS.times do |i|
      $stdout.write("#{send_message(http)}\n")
      sleep(rand(PAUSES)) if i < SENDS - 1
    end
  end
end

Array.new(Integer(ENV.fetch("CONNECTIONS"))) { Thread.new { send_all } }.each(&:join)
